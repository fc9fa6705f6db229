// Package intent carries effects from one entity to others, so that they happen even if
// nodes crash in between.
//
// An entity that must change others, too, does not ask them while it decides. It commits
// its own change together with an [Intent] for each of the others. From then on all of it
// is certain to happen. Intents are carried out by:
//
//	front end      runs the open intents at once, before it answers ([Run])
//	the entity     hands them to its [Courier] when they are overdue
//	the survey     wakes entities with open intents of an owner that crashed
//	the sweep      wakes entities with overdue intents that are not asked otherwise
//
// [Entity] is the actor of a kind whose whole state is one message with its open
// intents in it.
//
// Each asks the target with the intent's id as request id, and then tells the maker to
// [Settle]. All of them may do so at the same time, and again after a crash: the target
// answers a repeated request with its first answer for a minute, and later its commands
// must change nothing when they come a second time.
//
// A target may make intents in turn. Its answer then has them ([Maker]), and
// they are carried out before the first one is settled. A target that has too many open
// answers that it is busy and changes nothing; the intent stays open. That is for commands
// that begin something: those that end it are never refused, or two entities could wait for
// each other.
package intent
