package session

import (
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Every message that holds bytes or text, at any depth, must hide them in logs.
func TestMessagesHideTheirContentsInLogs(t *testing.T) {
	messages := File_actors_session_session_proto.Messages()
	for i := range messages.Len() {
		d := messages.Get(i)
		if !tells(d) {
			continue
		}
		kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
		if err != nil {
			t.Fatal(err)
		}
		valuer, ok := kind.New().Interface().(slog.LogValuer)
		if !ok {
			t.Errorf("%s does not redact itself", d.Name())
			continue
		}
		if got := valuer.LogValue().String(); !strings.HasSuffix(got, string(d.Name())) {
			t.Errorf("%s: logged as %q", d.Name(), got)
		}
	}
}

func tells(d protoreflect.MessageDescriptor) bool {
	for i := range d.Fields().Len() {
		f := d.Fields().Get(i)
		switch f.Kind() {
		case protoreflect.BytesKind, protoreflect.StringKind:
			return true
		case protoreflect.MessageKind:
			if tells(f.Message()) {
				return true
			}
		}
	}
	return false
}
