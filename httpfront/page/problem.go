package page

// problem is the content of an error page. There is nothing to press: the way
// on is on the device where the login began.
var problem = MustParse(`<p>{{.Text}}</p>
<p class="quiet">If you ask for help, give this number: <br>{{.Trace}}</p>
`)

// Problem makes the page of an error: what happened, what the viewer can do,
// and the trace that the operator finds in the log.
func Problem(title, text, trace string) []byte {
	page, err := problem.Render(title, struct{ Text, Trace string }{text, trace})
	if err != nil {
		panic(err) // two strings fit
	}
	return page
}
