// Package intent carries effects from one entity to others, so that they happen
// although nodes die in between.
//
// An entity that must change others, too, does not ask them while it decides.
// It commits its own change together with an [Intent] for each of the others.
// From then on the whole is certain to happen; what is left is to carry it out:
//
//	front end      Run the open intents at once, before it answers
//	the entity     hands them to its [Courier] when they are overdue
//	the survey     wakes entities with open intents of an owner that died
//	the sweep      wakes entities with overdue intents that nobody asks for
//
// [Entity] is the actor of a kind whose whole state is one message with its open
// intents in it.
//
// Whoever comes first asks the target with the intent's id as request id, and
// then tells the maker to [Settle]. All of them may do so at the same time, and
// again after a crash: the target answers a repeated request with its first
// answer for a minute, and later its commands must change nothing when they
// come a second time.
//
// A target may make intents in turn. Its answer then has them ([Maker]), and
// they are carried out before the first one is settled.
package intent
