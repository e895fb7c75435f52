package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// Changes one setting, given as `name=value`, of those that swim-core and memberlist share.
func set(config *memberlist.Config, text string) error {
	name, value, _ := strings.Cut(text, "=")
	spans := map[string]*time.Duration{
		"probe_interval":     &config.ProbeInterval,
		"probe_timeout":      &config.ProbeTimeout,
		"gossip_interval":    &config.GossipInterval,
		"push_pull_interval": &config.PushPullInterval,
		"reclaim_after":      &config.DeadNodeReclaimTime,
		"stream_timeout":     &config.TCPTimeout,
		// The dead are told and kept for one time here.
		"gossip_to_dead": &config.GossipToTheDeadTime,
		"reap_after":     &config.GossipToTheDeadTime,
	}
	counts := map[string]*int{
		"gossip_nodes":       &config.GossipNodes,
		"indirect_probes":    &config.IndirectChecks,
		"retransmit_mult":    &config.RetransmitMult,
		"suspicion_mult":     &config.SuspicionMult,
		"suspicion_max_mult": &config.SuspicionMaxTimeoutMult,
	}
	var err error
	if span, ok := spans[name]; ok {
		*span, err = time.ParseDuration(value)
	} else if count, ok := counts[name]; ok {
		*count, err = strconv.Atoi(value)
	} else if name == "stream_pings" {
		var wanted bool
		wanted, err = strconv.ParseBool(value)
		config.DisableTcpPings = !wanted
	} else {
		err = fmt.Errorf("no such setting: %q", name)
	}
	return err
}
