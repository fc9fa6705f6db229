package e2e

import (
	"io"
	"io/fs"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
)

// loginConfig is a realm in which viewers can log in.
const loginConfig = `
publicURL: ` + publicURL + `
throttle: {enabled: false}
realms:
  - id: programmer
    serviceProviders: [{id: STREAM1, domains: [stream.example]}]
    mvpds: [{id: NordCable, kind: sandbox}]
`

// TestOpenedLinksTakeNoRoom: a link that begins a login can be opened by anybody
// who has it. Ten thousand browsers, each with the longest User-Agent there can be,
// leave the data directory as it was.
func TestOpenedLinksTakeNoRoom(t *testing.T) {
	t.Parallel()
	n := startNode(t, loginConfig)
	a := n.mustApp("STREAM1")
	session, err := a.begin(t.Context(), newDevice("tv"), whole("NordCable"))
	must(t, err)
	before := n.stored()
	const visits, atOnce = 10_000, 8
	agent := strings.Repeat("<", 24<<10)
	group, ctx := errgroup.WithContext(t.Context())
	for range atOnce {
		group.Go(func() error {
			for range visits / atOnce {
				request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+n.HTTP+session.URL, nil)
				if err != nil {
					return err
				}
				request.Header.Set("User-Agent", agent)
				response, err := n.client.Do(request)
				if err != nil {
					return err
				}
				_, _ = io.Copy(io.Discard, response.Body)
				response.Body.Close()
				if response.StatusCode != http.StatusFound {
					return errStatus
				}
			}
			return nil
		})
	}
	must(t, group.Wait())
	growth := n.stored() - before
	t.Logf("the data directory grew by %d bytes while the link was opened %d times", growth, visits)
	if growth > 64<<10 {
		t.Errorf("%d bytes, want next to none", growth)
	}
	end, err := n.newBrowser().login(t.Context(), "STREAM1", session.Code, "ada")
	if must(t, err); end != home {
		t.Errorf("afterwards the viewer's login ended at %s", end)
	}
}

// stored is the size of all files of the node.
func (n *node) stored() (bytes int64) {
	n.Helper()
	must(n, filepath.WalkDir(n.Data(), func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			bytes += info.Size()
		}
		return err
	}))
	return bytes
}
