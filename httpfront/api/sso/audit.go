package sso

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"

	"ssod/actors/profile"
	"ssod/httpfront/api"
)

// audit writes a line of cmd/ssod/docs/security.md#audit-log. It names the viewer by a
// keyed digest only: the same in every line of the realm until its audit key rotates, and
// meaningless without the key.
func (s *Service) audit(r *api.Request, c client, what string, id profile.ID, devices int) {
	log := s.log()
	if !log.Enabled(context.Background(), slog.LevelInfo) {
		return
	}
	log.Info(what, "audit", true,
		"realm", id.Realm, "serviceProvider", r.Parameter, "statement", c.statement,
		"profile", Viewer(s.Tokens.AuditKey(id.Realm), id), "devices", devices,
		"trace", string(r.AppendTrace(nil)))
}

// confirmation counts and audits that a device of another network came with a
// link code, or what the device that made it said.
func (s *Service) confirmation(r *api.Request, c client, id profile.ID, outcome string) {
	s.Metrics.confirmation(id.Realm, outcome)
	s.audit(r, c, "link confirmation "+outcome, id, 1)
}

// Viewer is how audit lines name a profile.
func Viewer(key []byte, id profile.ID) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("viewer\x00" + id.Namespace + "\x00" + id.Subject))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}
