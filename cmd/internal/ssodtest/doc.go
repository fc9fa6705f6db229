// Package ssodtest runs ssod as an operator does, for tests that are its clients: it
// builds the programs once, starts a [Node] on a directory that outlives its
// processes, waits until it is ready, asks its admin listener, calls ssoctl, kills it
// and starts it again.
//
//	func TestMain(m *testing.M) { os.Exit(ssodtest.Main(m)) }
//
//	n := ssodtest.New(t, t.TempDir(), "realms: [{id: tv, serviceProviders: [tv]}]")
//	n.Start()
//	n.Kill()  // as a power cut would
//	n.Start() // on the same disk
package ssodtest
