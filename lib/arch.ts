import { InstanceArchitecture } from 'aws-cdk-lib/aws-ec2';
import { Platform } from 'aws-cdk-lib/aws-ecr-assets';
import { NodegroupAmiType } from 'aws-cdk-lib/aws-eks-v2';

export type Arch = 'arm64' | 'x86_64';

export interface ArchFacts {
  readonly ami: NodegroupAmiType;
  readonly instances: InstanceArchitecture;
  /** What the image is built for. */
  readonly platform: Platform;
}

/** One word decides on image, AMI and instance types: mixed, pods die with "exec format error" and nothing else. */
export const ARCH: Record<Arch, ArchFacts> = {
  arm64: {
    ami: NodegroupAmiType.AL2023_ARM_64_STANDARD,
    instances: InstanceArchitecture.ARM_64,
    platform: Platform.LINUX_ARM64,
  },
  x86_64: {
    ami: NodegroupAmiType.AL2023_X86_64_STANDARD,
    instances: InstanceArchitecture.X86_64,
    platform: Platform.LINUX_AMD64,
  },
};
