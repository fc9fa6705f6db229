package sandbox

import (
	"encoding/json"
	"slices"
	"strings"

	"ssod/httpfront/mvpd"
)

// viewer is somebody who can log in. The zero verdict of decide stands for
// viewers whose answer depends on the resource.
type viewer struct {
	ID, Name string
	// About is what the login page says.
	About string
	// rating is the household's maxRating.
	rating string
	decide decider
	// slow makes login and decisions take Options.Delay.
	slow bool
	// fails ends the login without a viewer.
	fails bool
}

// prefix makes a viewer's id the subject of a login.
const prefix = "sandbox-"

var viewers = []viewer{
	{ID: "ada", Name: "Ada", About: "Has every channel.", decide: always(mvpd.Permit)},
	{ID: "ben", Name: "Ben", About: "Has the channels whose name ends in 1.", decide: endsInOne},
	{ID: "cleo", Name: "Cleo", About: "Has no subscription: every channel is denied.", decide: always(mvpd.Denied)},
	{ID: "dora", Name: "Dora", About: "Parental controls deny every channel.", rating: "G", decide: always(mvpd.ParentalControls)},
	{ID: "emil", Name: "Emil", About: "May watch at home only, and is not there.", decide: always(mvpd.HomeOnly)},
	{ID: "finn", Name: "Finn", About: "Is signed out by the provider as soon as he watches.", decide: always(mvpd.SessionInvalidated)},
	{ID: "gwen", Name: "Gwen", About: "Is not known any more when she watches.", decide: always(mvpd.UnknownIdentity)},
	{ID: "hugo", Name: "Hugo", About: "Is slow: everything takes two seconds.", slow: true, decide: always(mvpd.Permit)},
	{ID: "ines", Name: "Ines", About: "Gets no decision in time.", decide: fails(mvpd.ErrTimeout)},
	{ID: "jack", Name: "Jack", About: "Gets decisions that nobody can read.", decide: fails(errUnreadable)},
	{ID: "kira", Name: "Kira", About: "Waits for decisions for ever.", decide: never},
	{ID: "leo", Name: "Leo", About: "Cannot sign in: the provider fails.", fails: true, decide: fails(errUnreadable)},
}

// viewerByID finds a viewer; nil when there is none.
func viewerByID(id string) *viewer {
	i := slices.IndexFunc(viewers, func(v viewer) bool { return v.ID == id })
	if i < 0 {
		return nil
	}
	return &viewers[i]
}

// viewerOf finds the viewer of a login.
func viewerOf(subject string) *viewer {
	id, ok := strings.CutPrefix(subject, prefix)
	if !ok {
		return nil
	}
	return viewerByID(id)
}

// identity is what the provider tells of a viewer.
func (v *viewer) identity() mvpd.Identity {
	rating := v.rating
	if rating == "" {
		rating = "NR"
	}
	attribute := func(name string, value any) mvpd.Attribute {
		raw, err := json.Marshal(value)
		if err != nil {
			panic(err) // text, lists and maps of it
		}
		return mvpd.Attribute{Name: name, Value: raw}
	}
	return mvpd.Identity{
		Subject: prefix + v.ID,
		Attributes: []mvpd.Attribute{
			attribute("upstreamUserID", v.ID),
			attribute("householdID", "sandbox-household"),
			attribute("zip", []string{"00000"}),
			attribute("maxRating", map[string]string{"MPAA": rating}),
			attribute("language", "en"),
		},
	}
}
