package saml

import (
	"encoding/base64"

	"github.com/beevik/etree"

	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
)

// submit sends the form of a page. Browsers without scripts have its button.
const submit = `document.forms[0].submit();`

var formPage = page.MustParse(`<form method="post" action="{{.To}}">
<input type="hidden" name="{{.Parameter}}" value="{{.Message}}">
{{if .State}}<input type="hidden" name="RelayState" value="{{.State}}">
{{end}}<p><button class="first wide" type="submit">Continue</button></p>
</form>
<script>` + submit + `</script>
`)

// postPage carries a message over HTTP-POST; SAML Bindings 2.0, 3.5.
func postPage(to, parameter string, m *etree.Element, state string) (*mvpd.Page, error) {
	data, err := writeXML(m)
	if err != nil {
		return nil, err
	}
	form := page.Page{Title: "One moment, please", OwnScript: submit}
	d, err := formPage.Render(form, struct{ To, Parameter, Message, State string }{
		to, parameter, base64.StdEncoding.EncodeToString(data), state,
	})
	if err != nil {
		return nil, err
	}
	return &mvpd.Page{HTML: d.HTML, Policy: d.Policy}, nil
}
