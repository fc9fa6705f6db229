package registration

import (
	"context"
	"errors"
	"iter"
	"maps"
	"net/url"
	"testing"

	"ssod/httpfront/token/keys"
)

// lagging is a node's tables of which some are old.
type lagging struct {
	Store
	behind bool
}

func (l *lagging) All(table string) iter.Seq2[string, []byte] {
	if l.behind {
		return maps.All(map[string][]byte(nil))
	}
	return l.Store.All(table)
}

// TestANodeThatIsBehindAsksBeforeItRefuses: what another node made or registered
// a moment ago is no reason to refuse, as long as that can be found out.
func TestANodeThatIsBehindAsksBeforeItRefuses(t *testing.T) {
	f := newFixture(t)
	made := f.create()
	client, err := f.Register(registering(made.SoftwareStatement))
	if err != nil {
		t.Fatal(err)
	}
	uses := map[string]func(*Service) error{
		"register": func(s *Service) error { _, err := s.Register(registering(made.SoftwareStatement)); return err },
		"grant": func(s *Service) error {
			_, err := s.Token(Request{ContentType: "application/x-www-form-urlencoded", Body: []byte(url.Values{
				"grant_type": {"client_credentials"}, "client_id": {client.ClientID}, "client_secret": {client.ClientSecret},
			}.Encode())})
			return err
		},
		"call": func(s *Service) error { _, err := s.Judge(keys.AccessClaims{Client: client.ClientID}); return err },
	}
	for name, use := range uses {
		t.Run(name, func(t *testing.T) {
			store := &lagging{Store: f.store, behind: true}
			reached := false
			s, err := Open(Options{Store: store, Keys: f.ring, Settings: f.settings, Now: f.now, CatchUp: func(context.Context) error {
				if !reached {
					return errors.New("nobody answers")
				}
				store.behind = false
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(s.Close)
			if err := use(s); !errors.Is(err, ErrBehind) {
				t.Errorf("while nobody answers: got %v, want ErrBehind", err)
			}
			reached = true
			if err := use(s); err != nil {
				t.Errorf("when it can be found out: %v", err)
			}
		})
	}
}

func registering(statement string) Request {
	return Request{ContentType: "application/json", Body: []byte(`{"software_statement":"` + statement + `"}`)}
}
