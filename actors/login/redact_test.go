package login

import (
	"testing"

	"ssod/actors/redacttest"
)

func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	redacttest.Check(t, File_actors_login_login_proto)
}
