package node_test

import (
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Everything is linked into a node, so all messages are seen here.
func TestMessagesWithTextOrBytesHideThemInLogs(t *testing.T) {
	var seen int
	protoregistry.GlobalTypes.RangeMessages(func(m protoreflect.MessageType) bool {
		name := m.Descriptor().FullName()
		if !strings.HasPrefix(string(name), "ssod.") || !tells(m.Descriptor(), map[protoreflect.FullName]bool{}) {
			return true
		}
		seen++
		valuer, ok := m.New().Interface().(slog.LogValuer)
		if !ok {
			t.Errorf("%s does not redact itself", name)
		} else if got := valuer.LogValue().String(); !strings.HasSuffix(got, "."+string(name.Name())) {
			t.Errorf("%s is logged as %q", name, got)
		}
		return true
	})
	if seen < 50 {
		t.Errorf("%d messages were seen", seen)
	}
}

// tells reports whether a message holds bytes or text at any depth.
func tells(m protoreflect.MessageDescriptor, seen map[protoreflect.FullName]bool) bool {
	if seen[m.FullName()] {
		return false
	}
	seen[m.FullName()] = true
	for i := range m.Fields().Len() {
		switch f := m.Fields().Get(i); f.Kind() {
		case protoreflect.BytesKind, protoreflect.StringKind:
			return true
		case protoreflect.MessageKind:
			if tells(f.Message(), seen) {
				return true
			}
		}
	}
	return false
}
