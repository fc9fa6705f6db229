package entitlement

import (
	_ "embed"
	"html/template"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
)

//go:embed passing.html
var passingText string

var passingPage = page.MustParse(passingText)

// submit sends the form of the page. Browsers without scripts have its button.
const submit = `document.forms[0].submit();`

// passOn shows a page that takes a form to an MVPD by itself, for the app of a service
// provider or nobody's.
func passOn(r *api.Request, sp *config.ServiceProvider, p *mvpd.Provider, f *mvpd.Form, more ...api.Field) (api.Response, error) {
	t := &words(r).Passing
	return show(r, view{
		page: passingPage, title: t.Title, provider: sp, script: submit,
		data: struct {
			Text   template.HTML
			Action string
			Form   *mvpd.Form
			Submit template.JS
		}{texts.Fill(t.Text, "provider", p.Config.DisplayName), t.Action, f, submit},
	}, more...)
}
