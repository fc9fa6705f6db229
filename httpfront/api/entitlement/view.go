package entitlement

import (
	_ "embed"
	"net/http"

	"ssod/httpfront/api"
	"ssod/httpfront/config"
	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
	"ssod/httpfront/wire"
)

// view is a page for a viewer.
type view struct {
	page     *page.Template
	title    string
	mark     page.Mark
	data     any
	provider *config.ServiceProvider // whose brand it has; nil: nobody's
	images   []string                // addresses of pictures in it
	script   string                  // of its own, that is in it; empty: none
	code     string                  // of the error that it tells, with status 400; empty: none
}

// words are all texts in the language of a browser.
func words(r *api.Request) *texts.Texts { return texts.For(r.Header(wire.AcceptLanguage)) }

// show answers with a page of this package.
func show(r *api.Request, v view, more ...api.Field) (api.Response, error) {
	d, err := v.page.Render(page.Page{Lang: words(r).Lang, Title: v.title, Mark: v.mark, Brand: brandOf(v.provider), Images: v.images, OwnScript: v.script}, v.data)
	if err != nil {
		return api.Response{}, err
	}
	fields := append([]api.Field{{Name: "Content-Security-Policy", Value: d.Policy}}, more...)
	status := http.StatusOK
	if v.code != "" {
		status = http.StatusBadRequest
	}
	return api.Response{Status: status, Code: v.code, ContentType: page.ContentType, Body: d.HTML, Fields: fields}, nil
}

// brandOf is how the pages of a service provider look.
func brandOf(sp *config.ServiceProvider) page.Brand {
	if sp == nil {
		return page.Brand{}
	}
	b := sp.Brand()
	return page.Brand{Name: sp.DisplayName, LogoURL: b.LogoURL, IconURL: b.FaviconURL, Light: b.Color, Dark: b.DarkColor}
}

//go:embed notice.html
var noticeText string

var noticePage = page.MustParse(noticeText)

// notify shows a page that says how something ended, with one thing to do about it: its
// link leads to href.
func notify(r *api.Request, sp *config.ServiceProvider, mark page.Mark, n *texts.Notice, href string) (api.Response, error) {
	return show(r, view{
		page: noticePage, title: n.Title, mark: mark, provider: sp,
		data: struct{ Text, Action, Href string }{n.Text, n.Action, href},
	})
}
