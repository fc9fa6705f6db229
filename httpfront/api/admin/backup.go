package admin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"
)

var (
	// ErrRecipient: a backup cannot be encrypted to that recipient.
	ErrRecipient = errors.New("recipient is no age X25519 recipient")
	// ErrBackups: too many are being made.
	ErrBackups = errors.New("other backups are being made")
)

// Backups makes backups.
type Backups interface {
	// Begin fixes what the cluster has at this moment, for a backup that is encrypted to
	// a recipient. It fails with [ErrRecipient] or [ErrBackups].
	Begin(ctx context.Context, recipient string) (Backup, error)
}

// Backup is one that was begun. It must be closed.
type Backup interface {
	// Write writes it. If it fails, what was written says so to whoever reads it,
	// or has no end.
	Write(ctx context.Context, to io.Writer) error
	Close()
}

// backupStall is how long the client of a backup may stop reading.
const backupStall = time.Minute

// makeBackup serves POST /admin/v1/backup.
func makeBackup(ctx context.Context, c *call) (any, error) {
	var in struct {
		Recipient string `json:"recipient"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	b, err := c.Backups.Begin(ctx, in.Recipient)
	if err != nil {
		return nil, err
	}
	return stream{b}, nil
}

// stream marks a result as one that takes long to write.
type stream struct{ Backup }

// send writes a backup. It leaves two audit lines: secrets leave the node when it begins,
// and the node may not see the end.
func (s *Server) send(w http.ResponseWriter, c *call, b Backup) int {
	defer b.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
	c.note("backup", "begun")
	c.audit(s.log, http.StatusOK)
	patient := &patient{w: w, of: http.NewResponseController(w)}
	_ = patient.of.SetReadDeadline(time.Time{}) // that of the request
	err := b.Write(c.Context(), patient)
	c.notes = []any{"backup", "complete", "bytes", patient.written}
	if err != nil {
		c.notes = []any{"backup", "incomplete", "bytes", patient.written}
		s.log.Warn("a backup is not complete", "error", err, "trace", c.trace())
	}
	return http.StatusOK
}

// patient writes for as long as the other side goes on to read.
type patient struct {
	w       io.Writer
	of      *http.ResponseController
	written int64
}

// Write implements [io.Writer].
func (p *patient) Write(b []byte) (int, error) {
	if err := p.of.SetWriteDeadline(time.Now().Add(backupStall)); err != nil {
		return 0, err
	}
	n, err := p.w.Write(b)
	p.written += int64(n)
	return n, err
}
