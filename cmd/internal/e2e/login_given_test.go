package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Steps about logins at TV providers. What the MVPD of a case does depends on
// the sandbox's viewer.

// viewerFor are the viewers that do what the cases say of an MVPD.
var viewerFor = map[string]string{
	"A logged in; MVPD permits":                    "ada",
	"A has a regular AcmeTV profile; MVPD permits": "ada",
	"limit 1": "ada",
	"A has a profile; MVPD permits r1, denies r2": "ben",
	"MVPD denies":                      "cleo",
	"parental controls":                "dora",
	"home-based authentication policy": "emil",
	"MVPD reports session invalid now": "finn",
	"identity unknown at MVPD":         "gwen",
	"MVPD times out":                   "ines",
	"MVPD answer unreadable":           "jack",
	"internal time budget exceeded":    "kira",
}

// viewerLoggedIn logs A in as the viewer of the case, under its identity if it
// has one.
func viewerLoggedIn(w *world, words []string) error {
	_, err := w.stream.logIn(w.Context(), w.device["A"], "AcmeTV", viewerFor[words[0]], w.identity()...)
	return err
}

// identity is the header by which A proves its identity, if it has one.
func (w *world) identity() []string {
	if t := w.device["A"].token; t != "" {
		return []string{"AD-Service-Token", t}
	}
	return nil
}

func loggedIn(w *world, words []string) error {
	_, err := w.stream.logIn(w.Context(), w.device["A"], words[0], "ada", w.identity()...)
	return err
}

// otherLoggedIn logs B in, which has an identity.
func otherLoggedIn(w *world, words []string) error {
	b := w.device["B"]
	_, err := w.stream.logIn(w.Context(), b, words[0], "ada", "AD-Service-Token", b.token)
	return err
}

// secondScreenLoggedIn lets another app complete a session that B began.
func secondScreenLoggedIn(w *world, words []string) error {
	b := w.device["B"]
	s, err := w.stream.begin(w.Context(), b, nil, "AD-Service-Token", b.token)
	if err != nil {
		return err
	}
	answer, err := w.do(w.Context(), call{
		method: "POST", target: "/api/v2/" + w.stream.provider + "/sessions/" + s.Code, body: []byte(whole(words[0]).Encode()),
		headers: map[string]string{"Authorization": "Bearer " + w.stream.token, "Content-Type": "application/x-www-form-urlencoded"},
	})
	if err := want(answer, err, http.StatusOK, nil); err != nil {
		return err
	}
	end, err := w.newBrowser().beside(b).login(w.Context(), w.stream.provider, s.Code, "ada")
	if err == nil && end != home {
		err = fmt.Errorf("%w: the browser ended at %s", errStatus, end)
	}
	return err
}

// permittedAt lets A, which has a login of its own, ask for decisions until B
// sees that it was there: the node need not find the time for each.
func permittedAt(w *world, words []string) error {
	a, b, then := w.device["A"], w.device["B"], time.Now().UnixMilli()
	w.vars[words[0]] = strconv.FormatInt(then, 10)
	until(w, "A is seen", func() bool {
		_, err := w.stream.v2(w.Context(), "POST", "decisions/authorize/AcmeTV", a, `{"resources":["`+words[1]+`"]}`, "AD-Service-Token", a.token)
		must(w, err)
		members, err := w.stream.list(w.Context(), b)
		must(w, err)
		return members[a.id].LastSeen.UnixMilli() >= then
	})
	return nil
}

func loggedInAlone(w *world, words []string) error {
	_, err := w.stream.logIn(w.Context(), w.device["A"], words[0], "ada")
	return err
}

func loggedInAndUnlinked(w *world, _ []string) error {
	if err := loggedIn(w, []string{"AcmeTV"}); err != nil {
		return err
	}
	return unlinked(w, []string{"B"})
}

func loggedInUntil(w *world, words []string) error {
	if err := loggedIn(w, []string{"AcmeTV"}); err != nil {
		return err
	}
	answer, err := w.stream.v2(w.Context(), "GET", "profiles/AcmeTV", w.device["A"], "")
	var out struct {
		Profiles map[string]struct {
			NotAfter json.Number `json:"notAfter"`
		} `json:"profiles"`
	}
	err = want(answer, err, http.StatusOK, &out)
	w.vars[words[0]] = out.Profiles["AcmeTV"].NotAfter.String()
	return err
}

func platformLoggedIn(w *world, words []string) error {
	token, err := w.value("subject_token")
	if err != nil {
		return err
	}
	_, err = w.stream.logIn(w.Context(), w.device["A"], words[0], "ada", "Adobe-Subject-Token", token)
	return err
}

// singleLogoutDone is case v2-out-01: B logs out what A logged in.
func singleLogoutDone(w *world, _ []string) error {
	err := joined(w, []string{"A", w.own(theViewer), "token_a"})
	if err == nil {
		err = joinedByCode(w, []string{"B", "token_b"})
	}
	if err == nil {
		err = loggedIn(w, []string{"AcmeTV"})
	}
	if err != nil {
		return err
	}
	b := w.device["B"]
	answer, err := w.stream.v2(w.Context(), "GET", "logout/AcmeTV?redirectUrl="+url.QueryEscape(home), b, "", "AD-Service-Token", b.token)
	return want(answer, err, http.StatusOK, nil)
}

// profileOver makes a login that is not good any more: the case runs with a
// short life, or the MVPD voids it at the first decision.
func profileOver(w *world, words []string) error {
	a := w.device["A"]
	viewer := map[string]string{"expired": "ada", "invalidated": "finn"}[words[0]]
	if _, err := w.stream.logIn(w.Context(), a, "AcmeTV", viewer); err != nil {
		return err
	}
	if words[0] == "invalidated" {
		answer, err := w.stream.v2(w.Context(), "POST", "decisions/authorize/AcmeTV", a, `{"resources":["channel-1"]}`)
		return want(answer, err, http.StatusOK, nil)
	}
	until(w, "the login expires", func() bool {
		answer, err := w.stream.v2(w.Context(), "GET", "profiles", a, "")
		return err == nil && string(answer.Body) == `{"profiles":{}}`
	})
	return nil
}

// trialOver lets a device play under a trial until that has ended: the case runs with a
// short one.
func trialOver(w *world, words []string) error {
	d := w.device[words[0]]
	answer, err := w.stream.v2(w.Context(), "POST", "decisions/authorize/TempPass_10min", d, `{"resources":["channel-1"]}`)
	if err := want(answer, err, http.StatusOK, nil); err != nil {
		return err
	}
	until(w, "the trial ends", func() bool {
		answer, err := w.stream.v2(w.Context(), "GET", "profiles/TempPass_10min", d, "")
		return err == nil && answer.Status == http.StatusForbidden
	})
	return nil
}

// sessionCreated begins a session of A; how much of it is there depends on the
// case.
func sessionCreated(w *world, words []string) error {
	form := whole("AcmeTV")
	switch words[0] {
	case "without parameters":
		form = nil
	case "lacks mvpd":
		form.Del("mvpd")
	}
	s, err := w.stream.begin(w.Context(), w.device["A"], form)
	if err != nil {
		return err
	}
	w.vars["authcode"] = s.Code
	if words[0] == "expired" {
		notAfter, err := strconv.ParseInt(s.NotAfter, 10, 64)
		if err != nil {
			return err
		}
		untilEpoch(w, notAfter)
	}
	return nil
}

// loginBegun begins a session of A and lets a browser go as far as the case
// says.
func loginBegun(w *world, words []string) error {
	s, err := w.stream.begin(w.Context(), w.device["A"], whole("AcmeTV"))
	if err != nil {
		return err
	}
	w.vars["authcode"] = s.Code
	b := w.newBrowser().beside(w.device["A"])
	if words[0] == "running" {
		_, err = b.open(w.Context(), w.stream.provider, s.Code)
		return err
	}
	end, err := b.login(w.Context(), w.stream.provider, s.Code, "ada")
	if err == nil && end != home {
		err = fmt.Errorf("%w: the browser ended at %s", errStatus, end)
	}
	return err
}
