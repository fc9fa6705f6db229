package faultrun

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"ssod/actors/profile"
	"ssod/cmd/internal/ssodtest"
	"ssod/persistence"
	"ssod/persistence/backup"
)

// vault is a backup and the passphrase file of it.
type vault struct{ file, passphrase string }

func newVault(c *Cluster) vault {
	c.Helper()
	v := vault{filepath.Join(c.dir, "backup"), filepath.Join(c.dir, "passphrase")}
	_, err := ssodtest.SSOCTL() // built before anything is timed
	c.must(err)
	c.must(os.WriteFile(v.passphrase, []byte("correct horse battery staple\n"), 0o600))
	return v
}

// fill has a node make the backup.
func (v vault) fill(c *Cluster, at *Node) {
	c.Helper()
	said, err := at.Ctl("backup", v.file, "--passphrase-file", v.passphrase)
	if err != nil {
		c.Fatalf("backup at %s: %v: %s", at, err, said)
	}
	c.Log(said)
}

// verify checks it.
func (v vault) verify(c *Cluster, at *Node) {
	c.Helper()
	if said, err := at.Ctl("backup", "verify", v.file, "--passphrase-file", v.passphrase); err != nil {
		c.Fatalf("verify: %v: %s", err, said)
	}
}

// restored is a cluster whose first node was restored from the backup.
func (v vault) restored(t testing.TB, nodes int, flags ...string) *Cluster {
	t.Helper()
	c := prepare(t, &Cluster{})
	first := c.Add()
	args := append([]string{"restore", v.file, "--data", first.Data(), "--passphrase-file", v.passphrase, "--node", first.Name}, flags...)
	out, err := c.program.Command(c, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("restore: %v: %s", err, out)
	}
	t.Log(string(out))
	first.Start()
	for range nodes - 1 {
		c.Add().Start()
	}
	if nodes == 3 {
		c.AwaitPromise()
	}
	return c
}

// move lets the viewers and apps of a load go to another cluster. Link codes that
// nobody has used do not go with them.
func (l *Load) move(to *Cluster) {
	l.cluster = to
	for _, v := range l.Ledger.lives {
		v.live = ""
	}
}

// known is what the ledger has by now, whatever it learns later.
func (l *Ledger) known() *Ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	known := &Ledger{load: l.load, clients: slices.Clone(l.clients)}
	for _, v := range l.lives {
		as := *v
		as.state = maps.Clone(v.state)
		known.lives = append(known.lives, &as)
	}
	return known
}

// TestABackupUnderLoadIsRestored makes a backup of three nodes while requests come, loses
// all of them, and makes three others from it. What was acknowledged before the backup
// began is there: members, and who is none any more, used link codes, revoked clients,
// and all tokens are good that were.
func TestABackupUnderLoadIsRestored(t *testing.T) {
	c := Start(t)
	before := Tell(c, "before")
	v := newVault(c)
	r := Begin(c, "load", rate())
	for range volume(1, 5) {
		<-time.After(warmth)
	}
	known := r.Ledger.known()
	began := time.Now()
	v.fill(c, c.Nodes[1])
	ended := time.Now()
	v.verify(c, c.Nodes[1])
	r.Finish(t)
	r.compareWith(t, began, ended)
	for _, n := range c.Nodes {
		n.Kill()
	}
	other := v.restored(t, 3)
	before.move(other)
	before.MustHold()
	r.Ledger = known
	r.move(other)
	Tale{r.Load}.MustHold()
	Tell(other, "after").MustHold()
}

// TestTheCostOfABackup makes a backup of many profiles while requests come.
func TestTheCostOfABackup(t *testing.T) {
	if !long() {
		t.Skip("a backup of few profiles is over before it costs anything")
	}
	const profiles = 300_000
	many := vault{filepath.Join(t.TempDir(), "many"), filepath.Join(t.TempDir(), "passphrase")}
	if err := errors.Join(os.WriteFile(many.passphrase, []byte("correct horse battery staple\n"), 0o600), many.write(profiles)); err != nil {
		t.Fatal(err)
	}
	c := many.restored(t, 3)
	v := newVault(c)
	r := Begin(c, "cost", rate())
	for range 10 {
		<-time.After(warmth)
	}
	began := time.Now()
	v.fill(c, c.Nodes[1])
	ended := time.Now()
	r.Finish(t)
	r.compareWith(t, began, ended)
}

// write makes a backup of so many profiles of three devices each, and of nothing else.
func (v vault) write(profiles int) (err error) {
	f, err := os.Create(v.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	sealed, err := backup.Seal(f, "correct horse battery staple")
	if err != nil {
		return err
	}
	w, err := backup.NewWriter(sealed, &backup.Header{Cluster: "none", Node: "n1", Shards: Shards})
	for id := uint32(1); id <= Shards+1 && err == nil; id++ {
		var shard *backup.Shard
		shard, err = backup.NewShard(w, &backup.Begin{Shard: id % (Shards + 1)})
		for n := int(id); id <= Shards && n <= profiles && err == nil; n += Shards {
			err = shard.Entity(storedProfile(n))
		}
		if err == nil {
			err = shard.End()
		}
	}
	if err == nil {
		err = w.End(time.Now())
	}
	return errors.Join(err, sealed.Close())
}

func storedProfile(n int) *backup.Entity {
	s := &profile.State{LastMembership: int64(n) + 3}
	for i := range 3 {
		s.Members = append(s.Members, &profile.Member{
			Device: fmt.Appendf(nil, "device-%d-%d-4f94-b1eb-7f3a", n, i), Membership: int64(n + i), Type: profile.MemberType_SSO,
			LastSeenMs: time.Now().UnixMilli(), Attributes: []byte(strings.Repeat("a", 60)),
		})
	}
	state, err := proto.Marshal(s)
	if err != nil {
		panic(err) // numbers and bytes
	}
	id := profile.ID{Realm: "one", Namespace: profile.NamespaceSSO, Subject: fmt.Sprint("stored-", n)}
	return &backup.Entity{Kind: profile.KindName, Identity: []byte(id.Address().Identity.Encode()), Rev: 1, Schema: 1, State: state}
}

// compareWith prints what requests took before and during a time, and in long runs
// judges it.
func (l *Load) compareWith(t *testing.T, began, ended time.Time) {
	t.Helper()
	var calm, busy []time.Duration
	for _, s := range l.answers {
		switch {
		case s.at.Before(began):
			calm = append(calm, s.took)
		case s.at.Before(ended):
			busy = append(busy, s.took)
		}
	}
	was, is := quantile(calm, 0.99), quantile(busy, 0.99)
	t.Logf("backup: took %v; p99 of %d requests before %v, of %d during it %v", ended.Sub(began).Round(time.Millisecond), len(calm), was, len(busy), is)
	if long() && is > 2*was {
		t.Errorf("p99 during a backup is %v, before it was %v; want at most twice as much", is, was)
	}
}

// TestRenewedKeysVoidTokens restores a backup where the keys of the old cluster count as
// lost: no token is good any more, and every device comes back as the member that it
// was, with the credentials that its app has.
func TestRenewedKeysVoidTokens(t *testing.T) {
	c := StartOne(t)
	tale := Tell(c, "before")
	v := newVault(c)
	v.fill(c, c.Nodes[0])
	c.Nodes[0].Kill()
	other := v.restored(t, 1, "--renew-keys")
	tale.move(other)
	for _, l := range tale.Ledger.lives {
		if _, err := l.app.list(l.host); err == nil || errors.Is(err, errUnknown) {
			t.Fatalf("with the tokens of before: %v", err)
		}
	}
	tale.ComeBack()
	for _, l := range tale.Ledger.lives {
		l.gone = nil // its token is void anyway
	}
	tale.MustHold()
}

// TestARestoreThatIsKilledDoesNotStart kills restores at any moment. What is left is what
// was there before, or a directory that no node starts on, or a restored one.
func TestARestoreThatIsKilledDoesNotStart(t *testing.T) {
	c := StartOne(t)
	Tell(c, "before")
	v := newVault(c)
	v.fill(c, c.Nodes[0])
	unfinished, finished := 0, 0
	for i := range volume(3, 60) {
		dir := filepath.Join(c.dir, fmt.Sprint("restored-", i))
		cmd := c.program.Command(c, "restore", v.file, "--data", dir, "--passphrase-file", v.passphrase)
		c.must(cmd.Start())
		c.until("the restore has begun", readyWithin, func() bool {
			begun, err := filepath.Glob(filepath.Join(dir, "*"))
			return err == nil && len(begun) > 0
		})
		<-time.After(time.Duration(i*23%300) * time.Millisecond)
		c.must(cmd.Process.Kill())
		killed := cmd.Wait() != nil
		store, err := persistence.Open(persistence.Options{Dir: dir, Reserve: 1, Logger: slog.New(slog.DiscardHandler)})
		if err == nil {
			c.must(store.Close())
		}
		switch {
		case errors.Is(err, persistence.ErrUnfinished) && killed:
			unfinished++
		case err == nil:
			finished++
		default:
			t.Errorf("killed after %d: %v, killed: %v", i, err, killed)
		}
	}
	t.Logf("%d restores were cut short, %d had ended", unfinished, finished)
}

// TestABackupOfANodeThatIsKilledIsIncomplete kills nodes while a backup is made. No file
// is there that looks complete.
func TestABackupOfANodeThatIsKilledIsIncomplete(t *testing.T) {
	c := Start(t)
	Tell(c, "before")
	v := newVault(c)
	for i := range volume(2, 20) {
		at, killed := c.Nodes[0], c.Nodes[i%2]
		cmd := ssodtest.SSOCTL.Command(t, "--admin", at.Admin, "backup", v.file, "--passphrase-file", v.passphrase)
		var said strings.Builder
		cmd.Stdout, cmd.Stderr = &said, &said
		c.must(cmd.Start())
		<-time.After(time.Duration(i*37%200) * time.Millisecond)
		killed.Kill()
		failed := cmd.Wait()
		_, statErr := os.Stat(v.file)
		if (failed == nil) != (statErr == nil) {
			t.Errorf("the backup ended with %v, its file is there: %v\n%s", failed, statErr == nil, said.String())
		}
		if statErr == nil {
			if said, err := at.Ctl("backup", "verify", v.file, "--passphrase-file", v.passphrase); err != nil {
				t.Errorf("a file that is there is not whole: %v: %s", err, said)
			}
			c.must(os.Remove(v.file))
		}
		if left, _ := filepath.Glob(filepath.Join(c.dir, ".backup*")); len(left) > 0 {
			t.Errorf("left: %v", left)
		}
		killed.Start()
		c.AwaitPromise()
	}
}
