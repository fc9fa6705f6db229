package entitlement

import (
	"context"
	_ "embed"
	"errors"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"ssod/actors/session"
	"ssod/httpfront/api"
	"ssod/httpfront/api/form"
	"ssod/httpfront/mvpd"
	"ssod/httpfront/page"
	"ssod/httpfront/page/texts"
)

var (
	//go:embed choose.html
	chooseText string

	choosePage = page.MustParse(chooseText, cardText, plateText)
)

// How many TV providers are on the page at once, and from how many on they are searched.
const (
	maxShown   = 24
	searchFrom = 8
)

// ActivateSession serves GET /activate/{serviceProvider}/{code}: what a viewer who typed a
// code does next, or how the login ended. Another browser is sent to where codes are typed,
// and nothing is looked up for it.
func (s *Service) ActivateSession(ctx context.Context, r *api.Request) (api.Response, error) {
	id, err := loginID(r)
	if err != nil {
		return api.Response{}, err
	}
	values, err := query(r)
	browser := browserOf(r)
	if err != nil || browser == "" || !proves(values.Get("opened"), s.hasOpened(r.Realm, browser, id)) {
		return sendTo(withCode(enterAt(r, id.ServiceProvider), id.Code)), nil
	}
	reply, err := s.openOnPage(ctx, r, id, browser)
	o := &opening{id, reply, browser}
	switch {
	case err != nil:
		return s.over(r, o, err)
	case o.GetFinished():
		return s.done(r, o)
	case values.Has("error"):
		return s.ended(r, o, values.Get("error"))
	case values.Has("mvpd"):
		if p, err := s.provider(r, o, s.chosen(o, values.Get("mvpd"))); err == nil {
			return s.question(r, o, p, s.openedAt(r, id, browser))
		}
	}
	return s.choose(r, o, values.Get("q"))
}

// chosen is the MVPD of a login: the one that the app named, or else the viewer's choice.
func (s *Service) chosen(o *opening, choice string) string {
	if named := o.GetParameters().GetMvpd(); named != "" {
		return named
	}
	return choice
}

// over says how a session ended that the browser had opened.
func (s *Service) over(r *api.Request, o *opening, err error) (api.Response, error) {
	t := words(r)
	notice, mark := &t.Expired, page.Note
	switch {
	case errors.Is(err, session.ErrUnknown):
	case !errors.Is(err, session.ErrOver):
		return api.Response{}, err
	case o.GetStage() == session.Stage_FINISHED:
		notice, mark = &t.Used, page.Done
	case o.GetStage() == session.Stage_SUPERSEDED:
		notice = &t.Replaced
	case o.GetStage() == session.Stage_DECLINED:
		notice, mark = &t.Declined, page.Stop
	}
	_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
	return notify(r, provider, mark, notice, enterAt(r, o.ServiceProvider))
}

// ended says why the browser came back from the MVPD without a login.
func (s *Service) ended(r *api.Request, o *opening, code string) (api.Response, error) {
	t := words(r)
	notice := &t.Failed
	if code == mvpd.AccessDenied {
		notice = &t.Cancelled
	}
	_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
	return notify(r, provider, page.Stop, notice, s.openedAt(r, o.ID, o.browser))
}

// done says that the login is made. There is nothing to do here any more.
func (s *Service) done(r *api.Request, o *opening) (api.Response, error) {
	_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
	t := words(r)
	return show(r, view{
		page: noticePage, title: t.Done.Title, mark: page.Done, provider: provider,
		data: struct{ Text, Action, Href string }{texts.FillPlain(t.Done.Text, "brand", provider.DisplayName), "", ""},
	})
}

// choose is the page where a viewer chooses a TV provider, or only goes on where the app or
// the configuration leaves no choice.
func (s *Service) choose(r *api.Request, o *opening, query string) (api.Response, error) {
	_, provider, _ := r.Config.ServiceProvider(o.ServiceProvider)
	t, here := words(r), s.openedAt(r, o.ID, o.browser)
	address, _, _ := strings.Cut(here, "?")
	data := map[string]any{
		"Words": t, "Card": newCard(t, o.ID, o.GetParty()), "Text": texts.Fill(t.Choose.Text, "brand", provider.DisplayName),
		"Token": s.confirmation(r, o.ID, o.browser), "To": here, "Path": address, "Opened": s.hasOpened(r.Realm, o.browser, o.ID),
	}
	v := view{page: choosePage, title: t.Choose.Title, provider: provider, data: data}
	all := s.providersOf(r, o.ServiceProvider)
	if named := o.GetParameters().GetMvpd(); named != "" {
		all = slices.DeleteFunc(all, func(p plate) bool { return p.ID != named })
	}
	if len(all) == 1 {
		v.title, data["Only"], data["Continue"] = t.Choose.Only, all[0], texts.FillPlain(t.Choose.Continue, "provider", all[0].Name)
		return show(r, v, cookie(r, o.browser, r.Realm.Session.TTL))
	}
	query = visible(query)
	found := search(all, query)
	if query != "" && len(found) == 0 {
		data["None"] = texts.Fill(t.Choose.None, "query", query)
	}
	data["Query"], data["Search"], data["More"] = query, len(all) >= searchFrom, len(found) > maxShown
	found = found[:min(len(found), maxShown)]
	data["Providers"], v.images = found, logos(found)
	return show(r, v, cookie(r, o.browser, r.Realm.Session.TTL))
}

// search finds the TV providers whose name has what a viewer typed, whatever the case, the
// accents and the blanks.
func search(all []plate, query string) (found []plate) {
	wanted := searchKey(query)
	for _, p := range all {
		if strings.Contains(searchKey(p.Name), wanted) {
			found = append(found, p)
		}
	}
	return found
}

// searchKey is a name without what people leave out: accents, blanks and signs.
func searchKey(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, norm.NFKD.String(name))
}

// ActivateLogin serves POST /activate/{serviceProvider}/{code}: a viewer chose a TV provider,
// or says whose device it is.
func (s *Service) ActivateLogin(ctx context.Context, r *api.Request) (api.Response, error) {
	id, err := loginID(r)
	if err != nil {
		return api.Response{}, err
	}
	given, ok := form.Parse(string(r.Body))
	if !ok || !r.HasForm() {
		return api.Response{}, api.ErrBody
	}
	browser := browserOf(r)
	if browser == "" || !proves(given["token"], s.confirmation(r, id, browser)) {
		return seeOther(sendTo(withCode(enterAt(r, id.ServiceProvider), id.Code))), nil
	}
	if given["answer"] == "decline" {
		return s.declineOnPage(ctx, r, id, browser)
	}
	reply, err := s.openOnPage(ctx, r, id, browser)
	o := &opening{id, reply, browser}
	if err != nil {
		return s.over(r, o, err)
	}
	answer, err := s.goOnFrom(ctx, r, o, given)
	return seeOther(answer), err
}

// declineOnPage ends the session, or says how it has ended already.
func (s *Service) declineOnPage(ctx context.Context, r *api.Request, id session.ID, browser string) (api.Response, error) {
	answer, err := s.decline(ctx, r, id)
	if errors.Is(err, session.ErrOver) || errors.Is(err, session.ErrUnknown) {
		return seeOther(sendTo(s.openedAt(r, id, browser))), nil
	}
	return answer, err
}

// goOnFrom sends a browser on from where a TV provider was chosen: first to the question whose
// device it is, where that is asked.
func (s *Service) goOnFrom(ctx context.Context, r *api.Request, o *opening, given map[string]string) (api.Response, error) {
	here := s.openedAt(r, o.ID, o.browser)
	choice := s.chosen(o, given["mvpd"])
	_, err := s.provider(r, o, choice)
	switch {
	case o.GetFinished():
		return s.sendHome(r, o, ""), nil
	case err != nil: // the configuration has changed
		return sendTo(here), nil
	case s.asksFirst(r, o.GetParty()) && given["answer"] != "continue":
		return sendTo(here + "&mvpd=" + url.QueryEscape(choice)), nil
	}
	return s.begin(ctx, r, o, choice)
}
