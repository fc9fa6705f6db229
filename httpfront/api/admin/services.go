package admin

import (
	"context"
	"errors"
	"time"

	"ssod/actors/erasure"
	"ssod/actors/profile"
	"ssod/cluster"
	"ssod/httpfront/api/registration"
	"ssod/httpfront/config"
	"ssod/httpfront/token/keys"
)

// Services is what the admin API acts on.
type Services struct {
	// Settings returns the configuration in use.
	Settings func() *config.Config
	// Reload reads the configuration again and returns what is now in use. It
	// fails with [ErrConfiguration], config.ErrRestart or [ErrReload].
	Reload       func(ctx context.Context) (*config.Config, error)
	Registration Registration
	Keys         Keys
	Profiles     Profiles
	Erasure      Erasure
	Trials       Trials
	Backups      Backups
	Shards       cluster.Shards
	Slots        func() *cluster.Slots
	// Members knows the other nodes; nil on a node that is alone.
	Members Members
	// ClusterSettings are what must be the same on all nodes.
	ClusterSettings ClusterSettings
	// Clock is what can be done about the time.
	Clock Clock
	// Degradation are the rules for an incident.
	Degradation Degradation
	// Providers are the TV providers.
	Providers Providers
	// Events are what waits for receivers, and what was given up.
	Events Events
	// Out says that the node has left its cluster: it has nothing but Settings,
	// Shards, Slots, Members and ClusterSettings.
	Out bool
	// Viewer is how audit lines name a profile.
	Viewer func(id profile.ID) string
}

// Members are the nodes of a cluster and what they hold.
type Members interface {
	Nodes() []Member
	// Placement is where the replicas of a shard are, by node name, as far as
	// this node knows.
	Placement(ctx context.Context, id cluster.ShardID) Placement
	// Spare is how many more nodes may be lost, whichever they are; below 0 some
	// shards have no majority.
	Spare() int
	// Zones are what the nodes' zones are worth, none if no node has one, and how
	// many of them may be lost, whichever they are; below 0 some shards have no
	// majority.
	Zones() (zones []Zone, spare int)
	// Remove gives a node up for good. It fails with [ErrNoNode] or
	// [ErrNodeNeeded].
	Remove(ctx context.Context, name string) error
	// Drain has a node hand over what it holds and leave; Undrain cancels that. They fail
	// with [ErrNoNode] or [ErrNotDrained].
	Drain(ctx context.Context, name string) error
	Undrain(ctx context.Context, name string) error
	// Readmit accepts the certificates of a node that was removed again. It fails
	// with [ErrNoNode] if none is refused.
	Readmit(ctx context.Context, name string) error
}

// Member is a node as another one sees it.
type Member struct {
	Name      string
	Self      bool
	State     State
	Version   string
	Zone      string
	FreeDisk  uint64    // bytes; 0: not known
	Drain     *Drain    // nil: it is not drained, or has left
	Started   time.Time // the zero time: not known
	Addresses map[string]string
}

// Drain is what a drained node still has, according to the tables.
type Drain struct {
	Copies   int  `json:"copies"` // of shards
	Leads    int  `json:"leads"`
	MetaVote bool `json:"metaVote"`
}

// Zone is what fails together: its nodes, and how many shards stop when it does. The
// name is empty for nodes that have no zone.
type Zone struct {
	Name  string   `json:"name"`
	Nodes []string `json:"nodes"`
	Stops int      `json:"shardsStopped"`
}

// ClusterSettings are what must be the same on all nodes, by name.
type ClusterSettings interface {
	All() (map[string]string, error)
	// Set changes some, all or nothing. It fails with [ErrSetting].
	Set(ctx context.Context, changes map[string]string) error
	// Unplaced is how many shards do not have as many copies yet as the settings ask
	// for.
	Unplaced() int
}

// Placement is where a shard is. Applied is the last entry that this node has
// applied, Lag how many the slowest replica is behind, where that is known.
type Placement struct {
	Leader           string
	Term             uint64
	Voters, Learners []string
	// Confirmed: the leader has written down that these vote, and a majority of them
	// has that on disk. Until then the voters before may be needed to elect a leader.
	Confirmed    bool
	Applied, Lag uint64
}

// Clock is what operators do about the time of the cluster.
type Clock interface {
	// Accept confirms the clock, by which what is kept for long may expire. It returns
	// what was not confirmed on this node.
	Accept(ctx context.Context) (ahead time.Duration, err error)
	// Reset sets the times of all shards that are ahead back to what the clocks
	// say. It may be repeated.
	Reset(ctx context.Context) error
}

// Registration makes and revokes statements; [registration.Service] does.
type Registration interface {
	CreateStatement(ctx context.Context, r registration.StatementRequest) (registration.CreatedStatement, error)
	RevokeStatement(ctx context.Context, id string) error
	RevokeClient(ctx context.Context, client string) error
}

// Keys lists and changes keys; [keys.Ring] does.
type Keys interface {
	List() []keys.Info
	// Rotate orders a rotation; AwaitRotated waits for its end.
	Rotate(ctx context.Context, o keys.Rotation) (keys.Rotated, error)
	AwaitRotated(ctx context.Context, id string) (done bool)
	Revoke(ctx context.Context, id string) error
}

// Profiles asks profiles; [profile.Client] does.
type Profiles interface {
	Show(ctx context.Context, request cluster.RequestID, id profile.ID) (*profile.State, bool, error)
}

// ErrNoErasure: a job is unknown on the node that is asked, or was forgotten.
var ErrNoErasure = errors.New("there is no such job on this node")

// ErrUnfinished: an erasure failed, and may be repeated; the text says where something
// may be left.
var ErrUnfinished = errors.New("not everything is erased")

// Erasure erases what is stored of viewers and devices.
type Erasure interface {
	// Begin starts it; Await waits a while and reports whether it is done.
	Begin(what erasure.Target) (job string, err error)
	// Await fails with [ErrNoErasure] or [ErrUnfinished].
	Await(ctx context.Context, job string) (erased erasure.Erased, done bool, err error)
}
