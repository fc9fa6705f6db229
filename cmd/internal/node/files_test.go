package node

import "testing"

func TestConnectionsLeaveFilesForTheStore(t *testing.T) {
	tests := []struct {
		files uint64
		want  int
	}{
		{256, 128},
		{1024, 512},
		{3000, 1500},
		{4096, 2596},
		{21_500, 20_000},
		{1 << 20, 20_000},
		{1<<64 - 1, 20_000}, // no limit
	}
	for _, tt := range tests {
		if got := connections(tt.files); got != tt.want {
			t.Errorf("connections with %d files: got %d, want %d", tt.files, got, tt.want)
		}
	}
}
