// Package linkdirectory is the entity that knows which link code belongs to
// which profile. There is one per realm, so it serves many requests at once.
//
// A code is given out by [Client.Reserve]: unique in the realm, two positions
// away from every live code, and longer where codes are dense. [Client.Resolve]
// finds its profile and charges one guess; the profile alone decides whether
// the code can be redeemed, so the directory is an index that may be behind.
// The invariant is one-way: a code that is live in a profile is in the
// directory and points to that profile.
//
//	reserve.go   choosing a code: density, spacing, attempts
//	resolve.go   looking a code up, charging and settling guesses
//	network.go   the networks of codes and guessers
//	window.go    failed guesses per device and per address
//	chance.go    the chance of a look-up, and how many codes may be live
//	meter.go     what look-ups may be expected to hit, and what is closed
//	stored.go    the meter in the head
//	report.go    what operators are told of it
//	attacks.go   what receivers of events are told of it
//	directory.go the codes: live, kept from reuse, gone
//	retired.go   codes given up, one record for many
//	batch.go     what the next commit writes
//	entity.go    the actor: one commit in flight carries many reservations
//
// A code itself is never stored, sent or logged. Both ends derive it from the realm's
// key, the request id and the number of the attempt ([Client.Text]); a keyed hash
// ([Client.Hash]) stands for it everywhere else.
//
// The life of a code, with its lifetime T:
//
//	0 ..... T         live: the profile accepts it
//	T ..... T + 60 s  resolvable: repeats and lost races find the profile
//	.. to ... 2T      kept: it is not given out again, because it may still be on
//	                  a screen
//
// A code that was used stays resolvable for 60 s, one that was given up is not
// resolvable at all, and both are kept for one more lifetime.
//
// # What guessers hit
//
// A guess that hits a stranger's code makes the guesser a member of that
// profile. A realm says how many such hits it accepts: W, in any 24 hours.
//
// A code is looked up first among the live codes of the guesser's own network,
// if those are at most 8: the phone and the TV of a household. Only then, and
// only while its length is open, it is looked up among all. Such a look-up of a
// class, a length and an alphabet with so much space, is made while
//
//	live   texts are codes, reserved ones included
//	near   texts are one position from one: no code, for codes keep two apart
//	kept   texts are not given out again yet
//	tried  texts were looked up for nothing while a code of now may have lived
//	rest   = space - near - kept - tried - live
//
// Codes are drawn evenly, so a text that may be a code is one with the chance p =
// live / (live + rest). A guesser's own codes do not help: with c of them it knows c of
// live and all that is near, and (live - c) / (live - c + rest) is less. A look-up that
// finds nothing adds the odds
//
//	live / rest = p / (1 - p)
//
// to the meter, one that hits adds nothing: in the mean that is
// (1 - p) * p / (1 - p) = p, what the look-up hits in the mean. A look-up of a
// text near a live code has no chance and adds nothing; it is also what a typing
// mistake looks like. So however look-ups are chosen, knowing the answers to all
// before, hits minus the meter's growth is a martingale: in the mean they are the
// same. The meter of 24 hours is never above W, hence
//
//	wrong hits in 24 hours <= W + sum over networks with a guesser in them of
//	                          (the look-ups of an address in a day
//	                           * their live codes, at most 8, / space)
//
// in the mean. Approximations make a look-up add more: a text near two codes counts
// twice in near, tried reaches back two to three hours, and a text that is kept or was
// tried adds like any other. The space of ten alphanumeric characters is so large that
// p <= 1e-9: such look-ups stay open and add theirs too, and W / 1e-9 of them are
// 5,800 a second all day.
//
// A device that found a code of another network finds it again while its length is
// closed. A guesser who knows the device's name may guess that code, on the budget of
// one device: its misses are charged in every network.
//
// For example 500 live codes of six digits, W = 0.5: 27,000 texts are near, the
// first look-up adds 500 / 972,500 = 0.000514, and codes shorter than eight
// characters close after 680 of them, at 70 % of W.
//
// # What honest mistakes cost
//
// Of F look-ups a day that find nothing, each adds at most the density of its
// class. Codes are given out up to a density of (W - meter) / 2F, and one in 500:
// the meter of a day without an attack comes to rest at F * (W - meter) / 2F, a
// third of W, half of what would close a length. Where more mistakes are made,
// codes get longer instead. Up to the density of 1e-9, at which look-ups are never
// refused, there are codes whatever the meter has.
//
// # What guessers see
//
// Whether a text is near a live code must not show, for then the code is one of 54
// texts. A near look-up is answered as late as others, behind the same barrier and the
// same commits: it uses up room too. Whether a length closes or codes get longer is
// decided for some twenty look-ups together, in steps of random size.
package linkdirectory
