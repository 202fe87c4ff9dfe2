#!/usr/bin/env bash
# Brings an image to an environment's registry as it is, so that its digest stays the one that was tested:
#
#     bin/push-image.sh image.tar sha256:… REPOSITORY IMAGE_ROLE REGION
#
# The last three are printed by `npm run deployment ENV`. It takes the role that `cdk bootstrap` made for images.
set -euo pipefail
archive=$1 digest=$2 repository=$3 role=$4 region=$5

read -r AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN < <(
  aws sts assume-role --role-arn "$role" --role-session-name push-image --output text \
    --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]'
)
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN

aws ecr get-login-password --region "$region" | skopeo login --username AWS --password-stdin "${repository%%/*}"
# A tag cannot be written twice there, and need not be.
if skopeo inspect --raw "docker://$repository@$digest" >/dev/null 2>&1; then
  echo "$digest is there already"
else
  skopeo copy --preserve-digests "oci-archive:$archive" "docker://$repository:proxy-${digest:7:12}"
fi
skopeo inspect --raw "docker://$repository@$digest" >/dev/null
