package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"
)

func TestSizes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "512": 512, "7B": 7, "3KiB": 3 << 10, "64MiB": 64 << 20, "2GiB": 2 << 30, "1TiB": 1 << 40,
		"": -1, "MiB": -1, "-1": -1, "64MB": -1, "1.5GiB": -1, "9999999TiB": -1,
	} {
		var got size
		err := got.UnmarshalText([]byte(text))
		if want < 0 && err == nil || want >= 0 && (err != nil || int64(got) != want) {
			t.Errorf("size %q: got %d, %v, want %d", text, got, err, want)
		}
	}
}

func TestTheCacheFollowsTheMemory(t *testing.T) {
	for memory, want := range map[int64]int64{
		128 << 20: 32 << 20, 448 << 20: 56 << 20, 4 << 30: 512 << 20, 64 << 30: 1 << 30, math.MaxInt64: 1 << 30,
	} {
		if got := cacheFor(memory); got != want {
			t.Errorf("cache for %d MiB: got %d MiB, want %d", memory>>20, got>>20, want>>20)
		}
	}
}

func TestMemoryOfControlGroups(t *testing.T) {
	dir := t.TempDir()
	write := func(file, text string) string {
		t.Helper()
		file = filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	two := write("two", "0::/system/ssod\n")
	one := write("one", "5:cpu:/\n4:memory:/docker/abc\n")
	write("sys/system/ssod/memory.max", "max\n")
	write("sys/system/memory.max", "536870912\n")
	write("sys/memory/memory.limit_in_bytes", "268435456\n") // the host's path is not there
	for name, tt := range map[string]struct {
		membership string
		want       int64
	}{
		"version 2, of a parent":    {two, 512 << 20},
		"version 1, in a container": {one, 256 << 20},
		"none":                      {filepath.Join(dir, "nothing"), math.MaxInt64},
	} {
		if got := cgroupMemory(tt.membership, filepath.Join(dir, "sys")); got != tt.want {
			t.Errorf("%s: got %d, want %d", name, got, tt.want)
		}
	}
}
