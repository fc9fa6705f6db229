package e2e

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"ssod/cmd/internal/e2e/examples"
)

// errGiven says that a case's precondition is unknown: then the case fails.
var errGiven = errors.New("no step for this precondition")

// precondition brings the world into one state. words are the groups of its
// pattern.
type precondition struct {
	pattern *regexp.Regexp
	do      func(w *world, words []string) error
}

// preconditions are all of them, in the words of the cases. The first pattern
// that matches the whole text decides.
var preconditions = []precondition{
	given(`client with access to STREAM1 and STREAM2 \(one realm\)`, nothing), // the world has one
	given(`client registered`, nothing),
	given(`\{\{software_statement\}\} valid`, nothing),
	given(`\{\{ext_token\}\} is a valid RS256 token of a trusted external issuer(?:, aud Adobe)?`, nothing),
	given(`\{\{ext_token\}\} valid, no device ever registered under its identity`, nothing),
	given(`\{\{ext_token_wrong_aud\}\}`, nothing),
	given(`device (\w) joined with X-SSO-ID (\S+); (?:its token is )?\{\{(\w+)\}\}`, joined),
	given(`device (\w) joined by link code; its token is \{\{(\w+)\}\}`, joinedByCode),
	given(`(\w) was unlinked`, unlinked),
	given(`(\w) was unlinked by (\w)`, unlinkedBy),
	given(`link code (\S+) created by (\w), unused`, codeCreated),
	given(`link code \{\{code\}\} already redeemed by device (\w)`, codeRedeemed),
	given(`link code \{\{code\}\} redeemed by this (device) 10 s ago`, codeRedeemed),
	given(`link code \{\{code\}\} past notAfter`, codeExpired),
	given(`devices of other networks are (?:to be confirmed|denied)`, nothing),
	given(`device (\w) of another network waits with link code \{\{code\}\}`, arrived),
	given(`A (confirmed|refused) it`, decided),
	given(`software statement of the client revoked`, statementRevoked),
	given(`5 failed redemptions by device (\w) in the last 15 minutes`, failedRedemptions),
	given(`\{\{(\w+)\}\} expired(?: 10 minutes ago)?`, tokenExpired),
	given(`\{\{(\w+)\}\} expired longer ago than the refresh window`, tokenLost),
	given(`client of RIVAL1 minted \{\{(\w+)\}\} with X-SSO-ID (\S+)`, rivalMinted),
	given(`client without client_credentials grant`, withoutGrant),
	given(`integration STREAM1-OldCable disabled`, nothing),
	given(`partner SSO not configured`, nothing),
	given(`TempPass_10min is a TempPass`, nothing),
	given(`TempPass_10min expired for (A)`, trialOver),
	given(`AuthNAll on STREAM1-AcmeTV|AuthZNone rule`, nothing),
	given(`AuthZAll on STREAM1-AcmeTV; A has a profile`, func(w *world, _ []string) error { return loggedInAlone(w, []string{"AcmeTV"}) }),
	given(`profile missing`, nothing),
	given(`throttle on, fresh client address`, nothing),
	given(`session \{\{authcode\}\} (without parameters|lacks mvpd|complete|expired)`, sessionCreated),
	given(`login for \{\{authcode\}\} (running|finished)`, loginBegun),
	given(`A has a regular (\w+) profile`, loggedInAlone),
	given(`A has a regular (\w+) profile made under the identity`, loggedIn),
	given(`A logged in at (\w+)(?: under the identity)?`, loggedIn),
	given(`B logged in at (\w+) under the identity`, otherLoggedIn),
	given(`B logged in at (\w+) with a second screen`, secondScreenLoggedIn),
	given(`at \{\{(then)\}\} A was permitted (\S+)`, permittedAt),
	given(`A logged in; B unlinked`, loggedInAndUnlinked),
	given(`A logged in; A profile notAfter \{\{(na)\}\}`, loggedInUntil),
	given(`app 1 logged in at (\w+) with \{\{subject_token\}\}`, platformLoggedIn),
	given(`v2-out-01 done`, singleLogoutDone),
	given(`profile (expired)`, profileOver),
	given(`profile (invalidated) by the MVPD earlier`, profileOver),
	given(`(A logged in; MVPD permits|A has a regular AcmeTV profile; MVPD permits|MVPD denies|MVPD reports session invalid now|MVPD times out|MVPD answer unreadable|parental controls|home-based authentication policy|identity unknown at MVPD|internal time budget exceeded|A has a profile; MVPD permits r1, denies r2|limit 1)`, viewerLoggedIn),
}

func given(pattern string, do func(*world, []string) error) precondition {
	return precondition{regexp.MustCompile(`^` + pattern + `$`), do}
}

// bring brings the world into the states of a case, in their order.
func (w *world) bring(texts []string) error {
	for _, text := range texts {
		if err := w.bringOne(text); err != nil {
			return fmt.Errorf("given %q: %w", text, err)
		}
	}
	return nil
}

func (w *world) bringOne(text string) error {
	for _, s := range preconditions {
		if words := s.pattern.FindStringSubmatch(text); words != nil {
			return s.do(w, words[1:])
		}
	}
	return errGiven
}

func nothing(*world, []string) error { return nil }

func joined(w *world, words []string) error {
	d := w.device[words[0]]
	err := w.stream.mint(w.Context(), d, words[1])
	w.vars[words[2]] = d.token
	return err
}

func joinedByCode(w *world, words []string) error {
	code, err := w.stream.link(w.Context(), w.device["A"])
	if err != nil {
		return err
	}
	d := w.device[words[0]]
	err = w.stream.redeem(w.Context(), d, code)
	w.vars[words[1]] = d.token
	return err
}

func unlinked(w *world, words []string) error { return unlinkedBy(w, append(words, "A")) }

func unlinkedBy(w *world, words []string) error {
	gone, err := w.stream.unlink(w.Context(), w.device[words[1]], w.device[words[0]].id)
	if err == nil && len(gone) != 1 {
		err = fmt.Errorf("unlinked %q, want one device", gone)
	}
	return err
}

// codeCreated makes a code. Where the case writes digits of its own they stand
// for the code that the service chose: see [world.renamed].
func codeCreated(w *world, words []string) error {
	code, err := w.stream.link(w.Context(), w.device[words[1]])
	if words[0] == "{{code}}" {
		w.vars["code"] = code
	} else {
		w.rename[words[0]] = code
	}
	return err
}

// renamed puts the real code where the case has its own, also where it is
// typed with a space in the middle.
func (w *world) renamed(r examples.Request) examples.Request {
	for theirs, ours := range w.rename {
		half, ourHalf := len(theirs)/2, len(ours)/2
		typed := strings.NewReplacer(theirs, ours, theirs[:half]+" "+theirs[half:], ours[:ourHalf]+" "+ours[ourHalf:])
		for name, value := range r.Headers {
			r.Headers[name] = typed.Replace(value)
		}
	}
	return r
}

// codeRedeemed makes a code and lets a device redeem it: C, or the one that
// the case calls "this device". How long ago within the 60 s that a repeat is
// allowed makes no difference.
func codeRedeemed(w *world, words []string) error {
	code, err := w.stream.link(w.Context(), w.device["A"])
	if err != nil {
		return err
	}
	w.vars["code"] = code
	by := w.device["B"]
	if words[0] != "device" {
		by = w.device[words[0]]
	}
	return w.stream.redeem(w.Context(), by, code)
}

// codeExpired makes a code and waits for its notAfter; the case runs with a
// life of a second.
func codeExpired(w *world, _ []string) error {
	answer, err := w.stream.send(w.Context(), "POST", "link", w.device["A"], nil)
	var out struct {
		Code     string `json:"code"`
		NotAfter int64  `json:"notAfter"`
	}
	if err := want(answer, err, 201, &out); err != nil {
		return err
	}
	w.vars["code"] = out.Code
	untilEpoch(w, out.NotAfter)
	return nil
}

// arrived makes a code with which a device of another network waits.
func arrived(w *world, words []string) error {
	code, err := w.stream.link(w.Context(), w.device["A"])
	if err != nil {
		return err
	}
	w.vars["code"] = code
	d := w.device[words[0]]
	d.address = away
	return w.stream.waits(w.Context(), d, code)
}

func decided(w *world, words []string) error {
	_, err := w.stream.confirmLink(w.Context(), w.device["A"], w.vars["code"], words[0] == "confirmed")
	return err
}

func statementRevoked(w *world, _ []string) error {
	return w.remove(w.Context(), "/admin/v1/software-statements/"+w.stream.statement)
}

func failedRedemptions(w *world, words []string) error {
	for i := range 5 {
		answer, err := w.stream.send(w.Context(), "POST", "serviceToken", w.device[words[0]], nil, "X-SSO-LINK", fmt.Sprintf("00000%d", i))
		if err := want(answer, err, 400, nil); err != nil {
			return err
		}
	}
	return nil
}

func tokenExpired(w *world, words []string) error {
	exp, err := expiry(w.vars[words[0]])
	untilEpoch(w, exp*1000)
	return err
}

func tokenLost(w *world, words []string) error {
	exp, err := expiry(w.vars[words[0]])
	untilEpoch(w, exp*1000+shortWindow.Milliseconds())
	return err
}

func rivalMinted(w *world, words []string) error {
	d := newDevice(w.own(deviceC))
	err := w.rival().mint(w.Context(), d, words[1])
	w.vars[words[0]] = d.token
	return err
}

// withoutGrant registers a client whose statement allows another grant only.
func withoutGrant(w *world, _ []string) error {
	signed, _, err := w.newStatement(w.Context(), statementRequest{
		ClientName: "Code App", ServiceProviders: []string{"STREAM1"}, GrantTypes: []string{"authorization_code"},
	})
	if err != nil {
		return err
	}
	w.vars["client_id"], w.vars["client_secret"], err = w.register(w.Context(), signed)
	return err
}
