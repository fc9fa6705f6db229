// Package redacttest checks that protobuf messages hide their contents in logs.
package redacttest

import (
	"log/slog"
	"strings"
	"testing"

	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Check fails t for every message of a file that holds bytes or text, at any
// depth, and is logged as anything but its own name.
func Check(t *testing.T, file protoreflect.FileDescriptor) {
	t.Helper()
	messages := file.Messages()
	for i := range messages.Len() {
		if d := messages.Get(i); tells(d) {
			checkMessage(t, d)
		}
	}
}

func checkMessage(t *testing.T, d protoreflect.MessageDescriptor) {
	t.Helper()
	kind, err := protoregistry.GlobalTypes.FindMessageByName(d.FullName())
	if err != nil {
		t.Fatal(err)
	}
	valuer, ok := kind.New().Interface().(slog.LogValuer)
	if !ok {
		t.Errorf("%s does not redact itself", d.Name())
		return
	}
	if got := valuer.LogValue().String(); !strings.HasSuffix(got, string(d.Name())) {
		t.Errorf("%s: logged as %q", d.Name(), got)
	}
}

// tells reports whether a message holds bytes or text.
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
