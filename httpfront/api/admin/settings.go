package admin

import (
	"bytes"
	"context"
	"encoding/json"
)

// settingsView is what must be the same on all nodes, and how far a change of it is.
type settingsView struct {
	Settings map[string]string `json:"settings"`
	// Unplaced is how many shards do not have as many copies yet as the settings ask
	// for.
	Unplaced int `json:"unplacedShards"`
}

func (c *call) clusterSettings() (settingsView, error) {
	all, err := c.ClusterSettings.All()
	return settingsView{all, c.ClusterSettings.Unplaced()}, err
}

// settingValue is the value of a setting, written as text or as a number.
type settingValue string

// UnmarshalJSON implements [json.Unmarshaler].
func (v *settingValue) UnmarshalJSON(raw []byte) error {
	if !bytes.HasPrefix(raw, []byte(`"`)) {
		var number json.Number
		err := json.Unmarshal(raw, &number)
		*v = settingValue(number)
		return err
	}
	return json.Unmarshal(raw, (*string)(v))
}

// setCluster serves POST /admin/v1/cluster/settings.
func setCluster(ctx context.Context, c *call) (any, error) {
	var in map[string]settingValue
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	changes := make(map[string]string, len(in))
	for name, value := range in {
		changes[name] = string(value)
	}
	if err := c.ClusterSettings.Set(ctx, changes); err != nil {
		return nil, err
	}
	c.note("changes", changes)
	return c.clusterSettings()
}
