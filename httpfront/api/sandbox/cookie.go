package sandbox

import (
	"net/http"
	"time"

	"ssod/httpfront/api"
)

// cookieName is the cookie that remembers the viewer who logged in last in a browser.
const cookieName = "sandbox_viewer"

// cookieTTL is how long.
const cookieTTL = 12 * time.Hour

// memento is what the cookie's ticket says.
type memento struct {
	Viewer string `json:"viewer"`
}

// remembered returns the viewer of the browser's cookie; nil without one. A
// cookie that does not open is as good as none.
func (c *Connector) remembered(header []byte) *viewer {
	cookies, err := http.ParseCookie(string(header))
	if err != nil {
		return nil
	}
	for _, cookie := range cookies {
		var m memento
		if cookie.Name == cookieName && c.open("cookie", cookie.Value, &m) == nil {
			return viewerByID(m.Viewer)
		}
	}
	return nil
}

func (c *Connector) remember(v *viewer) (api.Field, error) {
	ticket, err := c.seal("cookie", cookieTTL, memento{v.ID})
	return c.cookie(ticket, int(cookieTTL.Seconds())), err
}

func (c *Connector) forget() api.Field { return c.cookie("", -1) }

// cookie makes the field; a negative age deletes it.
func (c *Connector) cookie(value string, age int) api.Field {
	cookie := http.Cookie{
		Name: cookieName, Value: value, Path: c.path, MaxAge: age,
		HttpOnly: true, Secure: c.secure(), SameSite: http.SameSiteLaxMode,
	}
	return api.Field{Name: "Set-Cookie", Value: cookie.String()}
}
