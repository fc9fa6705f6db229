package httpfront

import (
	"net/http"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
	"ssod/httpfront/wire"
)

// notice is what a viewer reads about an error, by its status: viewers need no code.
func notice(t *texts.Problems, status int) texts.Passage {
	switch status {
	case http.StatusBadRequest, http.StatusMethodNotAllowed:
		return t.Link
	case http.StatusNotFound:
		return t.Page
	case http.StatusTooManyRequests:
		return t.Busy
	case http.StatusServiceUnavailable:
		return t.Unavailable
	}
	return t.Fault
}

// problem answers an error with a page, in the viewer's language. One that came too often is
// loaded again by the browser when its time has come: viewers do not know that others of the
// household, or a neighbour behind the same address, were the many.
func (x *exchange) problem(e *api.Error, after time.Duration) {
	t := texts.For(x.Header(wire.AcceptLanguage))
	d := page.Problem(t, notice(&t.Problems, e.Status), string(x.AppendTrace(nil)))
	x.set("Content-Security-Policy", d.Policy)
	if e.Status == http.StatusTooManyRequests {
		x.set("Refresh", seconds(after))
	}
	x.http.Response.Header.SetContentType(page.ContentType)
	x.http.Response.SetBody(d.HTML)
}
