package httpfront

import (
	"net/http"
	"time"

	"ssod/httpfront/api"
	"ssod/httpfront/page"
)

// notice is what a viewer reads about an error.
type notice struct{ title, text string }

// notices are by status; viewers need no code.
var notices = map[int]notice{
	http.StatusBadRequest:         {"This link does not work", "It was used already, is too old, or is incomplete. Please start again on the device where you want to watch."},
	http.StatusNotFound:           {"There is no such page", "Please start again on the device where you want to watch."},
	http.StatusMethodNotAllowed:   {"This link does not work", "Please start again on the device where you want to watch."},
	http.StatusTooManyRequests:    {"Too many requests", "Please wait. The page loads again by itself."},
	http.StatusServiceUnavailable: {"Not available right now", "Please wait a few seconds, then load the page again."},
}

var fault = notice{"Something went wrong", "It was not your fault. Please try again in a few minutes."}

// problem answers an error with a page. One that came too often is loaded again
// by the browser when its time has come: viewers do not know that others of the
// household, or a neighbour behind the same address, were the many.
func (x *exchange) problem(e *api.Error, after time.Duration) {
	n, ok := notices[e.Status]
	if !ok {
		n = fault
	}
	x.set("Content-Security-Policy", page.Policy)
	if e.Status == http.StatusTooManyRequests {
		x.set("Refresh", seconds(after))
	}
	x.http.Response.Header.SetContentType(page.ContentType)
	x.http.Response.SetBody(page.Problem(n.title, n.text, string(x.AppendTrace(nil))))
}
