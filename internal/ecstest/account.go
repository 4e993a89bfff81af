package ecstest

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsecs "github.com/aws/aws-sdk-go-v2/service/ecs"
	"github.com/aws/aws-sdk-go-v2/service/ecs/types"

	"berth/internal/ecs"
)

// chosen are the account settings that clients choose.
var chosen = []types.SettingName{types.SettingNameContainerInsights, types.SettingNameDefaultLogDriverMode, types.SettingNameTagResourceAuthorization}

// chooseSetting chooses an account setting as the account's default, or forgets a choice.
func (w *world) chooseSetting(ctx context.Context, x Step) {
	defer w.turn("settings")()
	name := chosen[x.A%len(chosen)]
	choices := ecs.Choices(name)
	value, err := "", error(nil)
	if n := x.B % (1 + len(choices)); n < len(choices) {
		value = choices[n]
		_, err = w.api.PutAccountSettingDefault(ctx, &awsecs.PutAccountSettingDefaultInput{Name: name, Value: &value})
	} else {
		_, err = w.api.DeleteAccountSetting(ctx, &awsecs.DeleteAccountSettingInput{Name: name, PrincipalArn: aws.String(ecs.Root(scope))})
	}
	w.watch.note("%s %s: %s", name, value, outcome(err))
	if !w.keep(fact{"setting", ecs.Root(scope), string(name)}, value, err) {
		return
	}
	if value == "" {
		value = choices[0]
	}
	out, err := w.api.ListAccountSettings(ctx, &awsecs.ListAccountSettingsInput{Name: name, EffectiveSettings: true, PrincipalArn: aws.String(ecs.Root(scope))})
	if err == nil && (len(out.Settings) != 1 || *out.Settings[0].Value != value) {
		w.watch.wrong("I8", "the setting %s is not %s right after that was acknowledged", name, value)
	}
}

// tag puts a tag on the cluster, or takes it away.
func (w *world) tag(ctx context.Context, x Step) {
	defer w.turn("tags")()
	cluster, key, value := string(scope.Cluster("default")), "tag"+strconv.Itoa(x.B%3), ""
	var err error
	if x.C%3 == 0 {
		_, err = w.api.UntagResource(ctx, &awsecs.UntagResourceInput{ResourceArn: &cluster, TagKeys: []string{key}})
	} else {
		value = strconv.Itoa(x.C)
		_, err = w.api.TagResource(ctx, &awsecs.TagResourceInput{ResourceArn: &cluster, Tags: []types.Tag{{Key: &key, Value: &value}}})
	}
	w.watch.note("tag %s=%s: %s", key, value, outcome(err))
	if !w.keep(fact{"tag", cluster, key}, value, err) {
		return
	}
	out, err := w.api.ListTagsForResource(ctx, &awsecs.ListTagsForResourceInput{ResourceArn: &cluster})
	if err == nil && tagOf(out.Tags, key) != value {
		w.watch.wrong("I8", "the tag %s is not %q right after that was acknowledged", key, value)
	}
}

// tagOf is a tag's value, "" if there is none.
func tagOf(tags []types.Tag, key string) string {
	for _, t := range tags {
		if aws.ToString(t.Key) == key {
			return aws.ToString(t.Value)
		}
	}
	return ""
}
