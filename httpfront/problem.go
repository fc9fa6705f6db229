package httpfront

import (
	"net/http"

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
	http.StatusTooManyRequests:    {"Too many requests", "Please wait a few seconds, then load the page again."},
	http.StatusServiceUnavailable: {"Not available right now", "Please wait a few seconds, then load the page again."},
}

var fault = notice{"Something went wrong", "It was not your fault. Please try again in a few minutes."}

// problem answers an error with a page.
func (x *exchange) problem(e *api.Error) {
	n, ok := notices[e.Status]
	if !ok {
		n = fault
	}
	x.set("Content-Security-Policy", page.Policy)
	x.http.Response.Header.SetContentType(page.ContentType)
	x.http.Response.SetBody(page.Problem(n.title, n.text, string(x.AppendTrace(nil))))
}
