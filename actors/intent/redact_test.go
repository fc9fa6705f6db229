package intent

import (
	"testing"

	"ssod/actors/redacttest"
)

func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	redacttest.Check(t, File_actors_intent_intent_proto)
}
