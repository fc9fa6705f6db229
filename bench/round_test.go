package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"ssod/bench/target"
)

// fakeService speaks enough of the API for a run and remembers what it was
// asked to do.
type fakeService struct {
	mu    sync.Mutex
	codes map[string]string // code -> device that shows it
	guest map[string]bool   // device let in by code
	calls map[string]int
}

func startFake(t *testing.T) (*fakeService, string) {
	t.Helper()
	f := &fakeService{codes: map[string]string{}, guest: map[string]bool{}, calls: map[string]int{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	return f, server.Listener.Addr().String()
}

func (f *fakeService) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	operation := r.Method + " " + r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]
	if r.Header.Get("X-SSO-LINK") != "" {
		operation = "redeem"
	}
	f.calls[operation]++
	status, answer := f.answer(operation, r)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // a broken answer fails the test's client
}

// called is how often an operation was called. The last calls of a run may
// still be under way: nobody waits for their answers.
func (f *fakeService) called(operation string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[operation]
}

func (f *fakeService) answer(operation string, r *http.Request) (int, any) {
	device := strings.TrimPrefix(r.Header.Get("AP-Device-Identifier"), "fingerprint ")
	switch operation {
	case "POST software-statements", "POST register", "POST token":
		return 201, map[string]string{"softwareStatement": "s", "client_id": "c", "client_secret": "x", "access_token": "a"}
	case "POST serviceToken":
		return 201, map[string]string{"serviceToken": "token-" + device}
	case "GET serviceToken":
		return 200, map[string]string{"serviceToken": r.Header.Get("AD-Service-Token")}
	case "GET list":
		return 200, map[string]any{"devices": map[string]any{device: struct{}{}}}
	case "POST link":
		code := fmt.Sprintf("%06d", len(f.codes))
		f.codes[code] = device
		return 201, map[string]string{"code": code}
	case "redeem":
		if f.codes[r.Header.Get("X-SSO-LINK")] == "" {
			return 400, nil
		}
		f.guest[device] = true
		return 201, map[string]string{"serviceToken": "guest"}
	case "POST unlink":
		return f.unlink(r)
	}
	return 404, nil
}

func (f *fakeService) unlink(r *http.Request) (int, any) {
	var in struct{ Devices []string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Devices) != 1 || !f.guest[in.Devices[0]] {
		return 400, nil
	}
	return 200, map[string]any{"unlinkedDevices": in.Devices}
}

// TestRoundsMeasureEveryOperation drives the floor, as a process, and a fake of
// the service: every operation is called and lands in its row of the report.
func TestRoundsMeasureEveryOperation(t *testing.T) {
	fake, addr := startFake(t)
	b := &bench{runCommand: smallRun(), rows: newRows()}
	process, floorAddr, err := startFloor()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := process.Kill(); err != nil {
			t.Error(err)
		}
	})
	b.floor, b.service = single(floorAddr, process), single(addr, nil)
	service := &target.Service{HTTP: addr, Admin: addr}
	if err := errors.Join(b.foundFloor(), b.found(t.Context(), service, target.Realms(2))); err != nil {
		t.Fatal(err)
	}
	for n := range b.Rounds {
		if err := b.round(t.Context(), n); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.halfPeak(); err != nil {
		t.Fatal(err)
	}
	for _, r := range b.report().Rows {
		if r.hasHoles() {
			t.Errorf("row %s has holes: %+v", r.Operation, r)
		}
	}
	for _, call := range []string{"POST serviceToken", "GET serviceToken", "GET list", "POST link", "redeem", "POST unlink"} {
		if fake.called(call) == 0 {
			t.Errorf("%s was never called", call)
		}
	}
	if got := len(b.clients); got != 4 {
		t.Errorf("got %d clients, want 2 in each of 2 realms", got)
	}
}

// hasHoles reports whether anything of a row was not measured.
func (r Row) hasHoles() bool {
	return r.Requests < least || !r.Rate.measured() || !r.P99.measured() || !r.Ratio.measured() || r.Floor != "" && r.Ratio == 0
}

// TestUnlinkHasSomebodyToRemove although a slow machine redeemed a few codes only.
func TestUnlinkHasSomebodyToRemove(t *testing.T) {
	_, addr := startFake(t)
	b := &bench{runCommand: smallRun(), service: single(addr, nil)}
	for i := range 500 {
		b.members = append(b.members, member{provider: "tv", bearer: "a", device: deviceID("d", i), service: "s"})
	}
	links := &linker{members: b.members}
	redeems, unlinks := &redeemer{members: b.members, name: "guest"}, &unlinker{members: b.members}
	if err := errors.Join(b.supply(links, redeems), b.admit(redeems, unlinks)); err != nil {
		t.Fatal(err)
	}
	if got, err := b.closed(b.service, unlinks); err != nil || got.few {
		t.Errorf("unlinked %d, %v, want %d at least", got.Requests, err, least)
	}
}

func TestRefusedRequestsEndTheRun(t *testing.T) {
	_, addr := startFake(t)
	b := &bench{runCommand: smallRun()}
	invented := &redeemer{members: make([]member, 1), codes: []code{{digits: "000000"}}}
	_, err := b.closed(single(addr, nil), invented)
	if !errors.Is(err, errRefused) {
		t.Fatalf("redeeming codes that do not exist: got %v, want %v", err, errRefused)
	}
}
