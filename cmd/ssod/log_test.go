package main

import (
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
)

// lines hands on what is written.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// TestLibrariesQuoteNobodyInTheLog: package net/http logs what comes behind an answer.
func TestLibrariesQuoteNobodyInTheLog(t *testing.T) {
	logged := make(lines, 1)
	before := log.Writer()
	t.Cleanup(func() { log.SetOutput(before) })
	log.SetOutput(unquoted{slog.New(slog.NewTextHandler(logged, nil))})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.Read(make([]byte, 4<<10))
		io.WriteString(c, "HTTP/1.1 204 No Content\r\n\r\na s3cret of a peer")
		io.Copy(io.Discard, c)
		c.Close()
	}()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	answer, err := client.Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if line := <-logged; !strings.Contains(line, "Unsolicited response") || strings.Contains(line, "s3cret") {
		t.Errorf("logged: %s", line)
	}
}
