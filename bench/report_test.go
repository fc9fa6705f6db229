package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ssod/bench/loadgen"
)

// slice is a sample of n requests in one second, each of 2 ms and, on the
// server, of 40 us.
func slice(n int) sample {
	latency := hdrhistogram.New(1000, int64(time.Minute), 3)
	_ = latency.RecordValues(int64(2*time.Millisecond), int64(n)) // in range
	return sample{
		Result:    loadgen.Result{Requests: n, Elapsed: time.Second, Latency: latency},
		serverCPU: time.Duration(n) * 40 * time.Microsecond,
	}
}

func slices3(a, b, c int) []sample { return []sample{slice(a), slice(b), slice(c)} }

func TestRatioComparesSlicesOfTheSameRound(t *testing.T) {
	// The machine halved its speed in the second round: both lost, the ratio
	// did not.
	b := &bench{runCommand: smallRun(), rows: newRows()}
	b.row(floorRefresh).samples = slices3(1000, 500, 1000)
	b.row(refresh).samples = slices3(800, 400, 600)
	row := b.reportRow(b.row(refresh))
	if row.Ratio != 0.8 || !row.Passed || row.Rate != 600 {
		t.Fatalf("got ratio %v at %v/s passed %v, want 0.8 at 600/s passed", row.Ratio, row.Rate, row.Passed)
	}
	if row.ServerCPU != 40 || row.P99 < 1.9 || row.P99 > 2.1 {
		t.Fatalf("got %v us and p99 %v ms, want 40 us and 2 ms", row.ServerCPU, row.P99)
	}
}

func TestAMissedMarkFails(t *testing.T) {
	b := &bench{runCommand: smallRun(), rows: newRows()}
	for _, r := range b.rows {
		r.samples = slices3(1000, 1000, 1000)
	}
	if r := b.report(); !r.passed() {
		t.Fatalf("everything as fast as the floor: got %+v, want passed", r.Rows)
	}
	b.row(list).samples = slices3(699, 699, 699)
	r := b.report()
	if r.passed() {
		t.Fatal("list at 0.699 of the floor passed a mark of 0.7")
	}
	var out bytes.Buffer
	r.print(&out)
	if n := strings.Count(out.String(), "FAIL"); n != 1 {
		t.Fatalf("got %d rows FAIL, want 1:\n%s", n, out.String())
	}
}

// TestAForeignServerHasNoCPUTime: it is no zero.
func TestAForeignServerHasNoCPUTime(t *testing.T) {
	b := &bench{runCommand: smallRun(), rows: newRows()}
	foreign := slice(1000)
	foreign.foreign = true
	b.row(refresh).samples = []sample{foreign}
	if row := b.reportRow(b.row(refresh)); row.ServerCPU.measured() || row.Rate != 1000 {
		t.Errorf("got %v us of a server that somebody else started at %v/s, want none at 1000/s", row.ServerCPU, row.Rate)
	}
}

func sameFigure(a, b figure) bool { return a == b || !a.measured() && !b.measured() }

func TestReportIsWrittenAsPrinted(t *testing.T) {
	b := &bench{runCommand: smallRun(), rows: newRows()}
	b.row(refreshHalf).samples = slices3(10, 10, 10)
	want := b.report()
	file := filepath.Join(t.TempDir(), "report.json")
	if err := want.write(file); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var got Report
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got, cmp.Comparer(sameFigure), cmpopts.IgnoreUnexported(Row{})); diff != "" {
		t.Fatalf("report after a round trip (-want +got):\n%s", diff)
	}
}

func TestOnlySomeRowsAreMeasured(t *testing.T) {
	b := &bench{runCommand: smallRun(), rows: newRows()}
	b.Only = []string{redeem}
	var got []string
	for _, r := range b.report().Rows {
		got = append(got, r.Operation)
	}
	if diff := cmp.Diff([]string{floorMint, link, redeem}, got); diff != "" {
		t.Errorf("rows of --only redeem (-want +got):\n%s", diff)
	}
	b.Only = []string{"speling"}
	if err := b.checkOnly(); err == nil {
		t.Error("--only speling: got no error")
	}
}
