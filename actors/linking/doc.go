// Package linking does what takes a profile and its realm's link directory: a code
// is made, redeemed and given up. Each is one call of [Client] with one answer.
//
// Making and redeeming a code are flows ([actors.Flow]), which saves hops. A new code is
// judged, reserved and added on the node of the profile:
//
//	Client ----> profile's node              link directory
//	             may it have one?
//	             (memory, no barrier)
//	                         ---- reserve --->
//	                         <--- a free code-
//	             add it: the commit
//	       <---- the code, without its text
//
// and a code is redeemed from the node of the directory, which alone knows its profile,
// and where the guess is settled at once:
//
//	Client ----> directory's node            profile
//	             whose is it? charged
//	                         ---- redeem ---->
//	                                          use it, add the device: the commit
//	                         <---------------
//	             settled: refunded or not
//	       <---- the membership
//
// # What goes wrong
//
// The commit of the profile decides, and a repeat with the same request id finds its
// outcome. What is left when a flow ends before it, or is carried out twice, is harmless:
//
//	reserved, not added   the code leads nowhere, and is given up if that is
//	                      certain, else when it expires
//	added, answer lost    a repeat is answered with the same code
//	refused, then given   the refusal is committed first, so that a second run
//	up                    does not add a code that the directory gave up
//	charged, not settled  the guess counts with this owner of the directory, and not
//	                      with the next one
//	redeemed, answer lost a repeat is answered with the same membership; the directory
//	                      is behind until then
//
// No code and no address is in a message: [linkdirectory.Client] turns them into
// digests under the realm's key where the request came in.
package linking
