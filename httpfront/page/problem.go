package page

import "ssod/httpfront/page/texts"

// problem is the content of an error page. There is nothing to press: the way
// on is on the device where the login began.
var problem = MustParse(`<p>{{.Text}}</p>
<p class="quiet">{{.Help}} <br>{{.Trace}}</p>
`)

// Problem makes the page of an error: what happened, what the viewer can do,
// and the trace that the operator finds in the log.
func Problem(t *texts.Texts, what texts.Passage, trace string) Document {
	page, err := problem.Render(Page{Lang: t.Lang, Title: what.Title}, struct{ Text, Help, Trace string }{what.Text, t.Help, trace})
	if err != nil {
		panic(err) // three strings fit
	}
	return page
}
