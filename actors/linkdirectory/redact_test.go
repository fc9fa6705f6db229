package linkdirectory

import (
	"log/slog"
	"strings"
	"testing"
)

func TestTheClientsTypesHideTheirContentsInLogs(t *testing.T) {
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("values",
		"guess", Guess{Typed: "228128"},
		"command", &Resolve{CodeHash: []byte("228128")})
	if strings.Contains(log.String(), "228128") {
		t.Errorf("a secret is in the log: %s", log.String())
	}
}
