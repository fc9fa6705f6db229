package linkdirectory

import (
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Every message that holds bytes or text must hide them in logs, and so must
// the types of the client.
func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	messages := File_actors_linkdirectory_linkdirectory_proto.Messages()
	for i := range messages.Len() {
		d := messages.Get(i)
		if !tells(d) {
			continue
		}
		kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := kind.New().Interface().(slog.LogValuer); !ok {
			t.Errorf("%s does not redact itself", d.Name())
		}
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("values",
		"reservation", Reservation{Code: "228128", Hash: []byte("228128")},
		"guess", Guess{Typed: "228128"},
		"target", Target{Subject: "228128", Hash: []byte("228128")},
		"command", &Resolve{CodeHash: []byte("228128")})
	if strings.Contains(log.String(), "228128") {
		t.Errorf("a secret is in the log: %s", log.String())
	}
}

func tells(d protoreflect.MessageDescriptor) bool {
	for i := range d.Fields().Len() {
		if kind := d.Fields().Get(i).Kind(); kind == protoreflect.BytesKind || kind == protoreflect.StringKind {
			return true
		}
	}
	return false
}
