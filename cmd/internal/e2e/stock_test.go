package e2e

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// stocked is a node that has ended, and what it has acknowledged.
type stocked struct {
	*app
	revoked    *app // its client was revoked
	households []household
}

// household is a profile with two members, a device that was one, and the code
// that the guest joined with.
type household struct {
	host, guest, gone *device
	code              string
}

// stock fills a node, so that it has data in sorted tables and in its log, and
// ends it.
func stock(t *testing.T, end func(*node)) *stocked {
	t.Helper()
	n := startNode(t, crashConfig)
	s := &stocked{app: n.mustApp("one"), revoked: n.mustApp("one")}
	for i := range volume(6, 40) {
		s.households = append(s.households, s.found(i))
	}
	n.stop()
	n.Start() // moves what the log holds into tables
	for _, h := range s.households {
		removed, err := s.unlink(t.Context(), h.host, h.gone.id)
		if err != nil || len(removed) != 1 {
			t.Fatalf("unlink: %q %v", removed, err)
		}
	}
	must(t, n.remove(t.Context(), "/admin/v1/clients/"+s.revoked.id))
	end(n)
	return s
}

func (s *stocked) found(i int) household {
	s.Helper()
	name := func(of string) *device { return newDevice(fmt.Sprintf("%s %d", of, i)) }
	h := household{host: name("host"), guest: name("guest"), gone: name("gone")}
	must(s, s.mint(s.Context(), h.host, fmt.Sprintf("viewer %d", i)))
	for _, d := range []*device{h.gone, h.guest} {
		var err error
		h.code, err = s.link(s.Context(), h.host)
		must(s, err)
		must(s, s.redeem(s.Context(), d, h.code))
	}
	return h
}

// facts are what was acknowledged and holds.
func (s *stocked) facts() []fact {
	facts := []fact{
		{"a software statement", s.isApproved(s.signed)},
		{"a revoked client", s.revoked.isRevoked()},
	}
	for _, h := range s.households {
		facts = append(facts,
			fact{"a host", s.isMember(h.host)}, fact{"a guest", s.isMember(h.guest)},
			fact{"an unlinked device", s.isGone(h.host, h.gone)}, fact{"a used code", s.isUsed(h.code, h.guest.id)})
	}
	return facts
}

// copy is the same on a node with a copy of the directory, without the ballast.
func (s *stocked) copy(t *testing.T) *stocked {
	t.Helper()
	n := newNode(t, crashConfig)
	must(t, filepath.WalkDir(s.Data(), func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() == "ballast" {
			return err
		}
		name, err := filepath.Rel(s.Data(), file)
		if err != nil || d.IsDir() {
			return errors.Join(err, os.Mkdir(filepath.Join(n.Data(), name), 0o700))
		}
		content, err := os.ReadFile(file)
		return errors.Join(err, os.WriteFile(filepath.Join(n.Data(), name), content, 0o600))
	}))
	c, app, revoked := *s, *s.app, *s.revoked
	app.node, revoked.node = n, n
	c.app, c.revoked = &app, &revoked
	return &c
}
