package main

import (
	"bytes"
	"os"
	"testing"
)

func TestUnread(t *testing.T) {
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if unread(writer) || unread(&bytes.Buffer{}) {
		t.Error("a pipe with a reader, or what is none, counts as unread")
	}
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	if !unread(writer) {
		t.Error("a pipe whose reader is gone does not count as unread")
	}
}
