package state

import (
	"iter"
	"maps"

	"berth/internal/ecs"
	"berth/internal/vpc"
)

// Sizes yields how many records of each kind there are.
func (t *Tables) Sizes() iter.Seq2[ecs.Kind, int] {
	sizes := map[ecs.Kind]int{
		ecs.KindCluster: t.Clusters.Len(), ecs.KindFamily: t.Families.Len(), ecs.KindDefinition: t.Definitions.Len(), ecs.KindService: t.Services.Len(),
		ecs.KindEvent: t.Events.Len(), ecs.KindTask: t.Tasks.Len(), ecs.KindInstance: t.Instances.Len(), ecs.KindCredential: t.Credentials.Len(),
		ecs.KindJoinToken: t.JoinTokens.Len(), ecs.KindClientRequest: t.Requests.Len(), ecs.KindSetting: t.Settings.Len(),
		ecs.KindServiceDeployment: t.Rollouts.Len(), ecs.KindServiceRevision: t.Revisions.Len(), ecs.KindAccountSetting: t.AccountSettings.Len(),
		ecs.KindPool: t.Pools.Len(), ecs.KindPoolMember: t.PoolMembers.Len(),
		vpc.KindVPC: t.VPCs.Len(), vpc.KindSubnet: t.Subnets.Len(), vpc.KindSecurityGroup: t.SecurityGroups.Len(), vpc.KindNetworkInterface: t.Interfaces.Len(),
		vpc.KindRouteTable: t.RouteTables.Len(), vpc.KindInternetGateway: t.InternetGateways.Len(), vpc.KindNATGateway: t.NATGateways.Len(),
		vpc.KindAddress: t.Addresses.Len(), vpc.KindDHCPOptions: t.DHCPOptions.Len(),
	}
	for _, k := range shelved() {
		sizes[k] = t.shelf(k).size()
	}
	return maps.All(sizes)
}
