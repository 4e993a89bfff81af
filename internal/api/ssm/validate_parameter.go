package ssm

import (
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsssm "github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"berth/internal/apierr"
	"berth/internal/constraint"
	"berth/internal/secret"
)

const (
	defaultKey = "alias/aws/ssm"
	textData   = "text"
	imageData  = "aws:ec2:image"

	mostStandard = 4096 // bytes of a value
	mostAdvanced = 8192
	mostText     = 1024 // characters of a description or a pattern
	mostDataType = 128
	mostKeyID    = 256
)

var imageID = regexp.MustCompile(`^ami-([0-9a-f]{8}|[0-9a-f]{17})$`)

// validatePut checks what can be said of a request without the parameter.
func validatePut(in *awsssm.PutParameterInput) error {
	var c constraint.Check
	c.Needed("name", in.Name, 1, mostName)
	c.Present("value", in.Value != nil)
	if in.Value != nil {
		c.Hidden("value", len(*in.Value), 1, 1<<20)
	}
	constraint.Enum(&c, "type", in.Type, in.Type.Values())
	constraint.Enum(&c, "tier", in.Tier, in.Tier.Values())
	c.Text("description", in.Description, 0, mostText)
	c.Text("allowedPattern", in.AllowedPattern, 0, mostText)
	c.Text("dataType", in.DataType, 0, mostDataType)
	c.Text("keyId", in.KeyId, 1, mostKeyID)
	if err := c.Err(); err != nil {
		return err
	}
	switch {
	case aws.ToString(in.Policies) != "":
		return notActedOn("Policies")
	case aws.ToBool(in.Overwrite) && len(in.Tags) > 0:
		return invalid("Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove overwrite flag. " +
			"To update tags for an existing parameter, please use AddTagsToResource or RemoveTagsFromResource.")
	case in.KeyId != nil && in.Type != "" && in.Type != types.ParameterTypeSecureString:
		return invalid("KeyId is required for SecureString type parameter only.")
	case in.KeyId != nil && !secret.IsKey("ssm", *in.KeyId):
		return apierr.New("InvalidKeyId", "Invalid keyId %s", *in.KeyId)
	}
	return firstOf(validateName(*in.Name), validateTags(in.Tags))
}

// tier is the tier of a new version: of Intelligent-Tiering the lowest that the value fits in, and never one below that before.
func tier(asked types.ParameterTier, before, value string) (string, error) {
	const standard, advanced = string(types.ParameterTierStandard), string(types.ParameterTierAdvanced)
	switch {
	case asked == types.ParameterTierStandard && before == advanced:
		return "", invalid("This parameter uses the advanced-parameter tier. You can't downgrade a parameter from the advanced-parameter tier to the " +
			"standard-parameter tier. If necessary, you can delete the advanced parameter and recreate it as a standard parameter.")
	case asked == types.ParameterTierAdvanced || before == advanced:
		return advanced, nil
	case asked == types.ParameterTierIntelligentTiering && len(value) > mostStandard:
		return advanced, nil
	}
	return standard, nil
}

// validateValue checks a value against what its version says of it.
func validateValue(v secret.ParameterValue, value string) error {
	switch {
	case v.KeyID != "" && v.Type != string(types.ParameterTypeSecureString):
		return invalid("KeyId is required for SecureString type parameter only.")
	case v.Tier == string(types.ParameterTierStandard) && len(value) > mostStandard:
		return invalid("Standard tier parameters support a maximum parameter value of %d characters. To create a larger parameter value, upgrade the parameter "+
			"to use the advanced-parameter tier. For more information, see "+
			"https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html", mostStandard)
	case len(value) > mostAdvanced:
		return invalid("Advanced tier parameters support a maximum parameter value of %d characters.", mostAdvanced)
	case v.DataType != textData && v.DataType != imageData:
		return invalid("The following data type is not supported: %s (Data type names are all lowercase.)", v.DataType)
	case v.DataType == imageData && (v.Type != string(types.ParameterTypeString) || !imageID.MatchString(value)):
		return invalid("Parameter value: the DataType aws:ec2:image needs the id of an image, in a parameter of type String.")
	}
	return validatePattern(v, value)
}

// validatePattern checks a value against the parameter's pattern: of a StringList each item. The pattern is one of Go's regular expressions, which know no
// look-around and no references back.
func validatePattern(v secret.ParameterValue, value string) error {
	if v.AllowedPattern == "" {
		return nil
	}
	pattern, err := regexp.Compile(v.AllowedPattern)
	if err != nil {
		return apierr.New("InvalidAllowedPatternException", "The request does not meet the regular expression requirement: AllowedPattern %s.", v.AllowedPattern)
	}
	items := []string{value}
	if v.Type == string(types.ParameterTypeStringList) {
		items = strings.Split(value, ",")
	}
	if slices.ContainsFunc(items, func(item string) bool { return !pattern.MatchString(item) }) {
		return apierr.New("ParameterPatternMismatchException", "Parameter value, cannot be validated against allowedPattern: %s", v.AllowedPattern)
	}
	return nil
}
