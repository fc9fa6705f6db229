package config

// ServiceProvider returns the service provider with this id and the realm that
// it belongs to.
func (c *Config) ServiceProvider(id string) (*Realm, *ServiceProvider, bool) {
	for _, r := range c.Realms {
		for i := range r.ServiceProviders {
			if r.ServiceProviders[i].ID == id {
				return r, &r.ServiceProviders[i], true
			}
		}
	}
	return nil, nil, false
}
