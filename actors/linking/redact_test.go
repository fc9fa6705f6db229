package linking

import (
	"log/slog"
	"strings"
	"testing"

	"ssod/actors/redacttest"
)

func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	redacttest.Check(t, File_actors_linking_linking_proto)
}

func TestACodeHidesItselfInLogs(t *testing.T) {
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("values", "code", Code{Text: "228128"})
	if strings.Contains(log.String(), "228128") {
		t.Errorf("a secret is in the log: %s", log.String())
	}
}
