// The rows of the verbs, one definition per verb's file; cli/cmd/all.cc puts them in order.
// Thread-safety: constants.
#pragma once

#include "cli/command.h"

namespace mlops::cli {

extern const Command kRegisterCommand;
extern const Command kPullCommand;
extern const Command kListCommand;
extern const Command kShowCommand;
extern const Command kDiffCommand;
extern const Command kAliasCommand;
extern const Command kLabelCommand;
extern const Command kDeprecateCommand;
extern const Command kDeleteCommand;

extern const Command kPlanCommand;
extern const Command kPlansCommand;
extern const Command kPromoteCommand;
extern const Command kApproveCommand;
extern const Command kRejectCommand;
extern const Command kWithdrawCommand;
extern const Command kReviewListCommand;
extern const Command kReviewCloseCommand;
extern const Command kReleaseCreateCommand;
extern const Command kReleaseListCommand;
extern const Command kReleaseShowCommand;
extern const Command kRollbackCommand;
extern const Command kStatusCommand;
extern const Command kHistoryCommand;
extern const Command kHistoryCorrectCommand;
extern const Command kCiCommand;
extern const Command kBoardCommand;
extern const Command kRolloutListCommand;
extern const Command kRolloutShowCommand;
extern const Command kRolloutContinueCommand;
extern const Command kRolloutStopCommand;
extern const Command kDeliveryListCommand;
extern const Command kDeliveryVerifyCommand;
extern const Command kDeliveryRetryCommand;
extern const Command kLineageCommand;
extern const Command kRanCommand;

extern const Command kEnvApplyCommand;
extern const Command kEnvListCommand;
extern const Command kEnvShowCommand;
extern const Command kEnvDiffCommand;
extern const Command kEnvGraphCommand;
extern const Command kPolicyApplyCommand;
extern const Command kPolicyListCommand;
extern const Command kPolicyShowCommand;
extern const Command kPolicyLintCommand;
extern const Command kPolicyTestCommand;
extern const Command kPolicyExplainCommand;
extern const Command kPolicyDiffCommand;
extern const Command kPolicyMaskCommand;
extern const Command kPolicyRevealCommand;
extern const Command kPolicyScanCommand;
extern const Command kPolicyEvalCommand;
extern const Command kPolicyReplayCommand;
extern const Command kDecisionShowCommand;
extern const Command kDecisionVerifyCommand;
extern const Command kPolicyRiskCommand;
extern const Command kPolicyPacksCommand;
extern const Command kPolicyBenchmarkCommand;
extern const Command kPolicySourceAddCommand;
extern const Command kPolicySourceListCommand;
extern const Command kPolicySourceShowCommand;
extern const Command kPolicySourceSyncCommand;
extern const Command kPolicySourceApproveCommand;
extern const Command kPolicySourceApplyCommand;
extern const Command kPolicySourceRemoveCommand;
extern const Command kGitopsStatusCommand;
extern const Command kGitopsRetryCommand;

extern const Command kKeyringInitCommand;
extern const Command kKeyringListCommand;
extern const Command kKeyringAddCommand;
extern const Command kKeyringRotateCommand;
extern const Command kKeyringRetireCommand;
extern const Command kKeyringDestroyCommand;
extern const Command kKeyringRewrapCommand;

extern const Command kKeyListCommand;
extern const Command kKeyAddCommand;
extern const Command kKeySignersCommand;
extern const Command kKeyRevokeCommand;
extern const Command kKeyCreateCommand;
extern const Command kKeyRotateCommand;
extern const Command kKeyDestroyCommand;
extern const Command kRevealCommand;

extern const Command kAuditLogCommand;
extern const Command kAuditVerifyCommand;
extern const Command kFsckCommand;

extern const Command kGcPlanCommand;
extern const Command kGcRunCommand;
extern const Command kGcWhyCommand;
extern const Command kGcRunsCommand;
extern const Command kGcRestoreCommand;
extern const Command kHoldAddCommand;
extern const Command kHoldListCommand;
extern const Command kHoldReleaseCommand;
extern const Command kRetentionSetCommand;
extern const Command kRetentionListCommand;
extern const Command kRetentionRemoveCommand;
extern const Command kBackupCommand;
extern const Command kRestoreCommand;

extern const Command kSignCommand;
extern const Command kVerifyCommand;
extern const Command kProfileCommand;

extern const Command kSubjectKeySetCommand;
extern const Command kSubjectKeyListCommand;
extern const Command kSubjectKeyRemoveCommand;
extern const Command kErasePlanCommand;
extern const Command kEraseApproveCommand;
extern const Command kEraseRejectCommand;
extern const Command kEraseApplyCommand;
extern const Command kEraseDecideCommand;
extern const Command kEraseStatusCommand;
extern const Command kEraseListCommand;
extern const Command kEraseReceiptCommand;
extern const Command kEraseIndexCommand;

extern const Command kWatchCommand;
extern const Command kWaitCommand;
extern const Command kWebhookAddCommand;
extern const Command kWebhookListCommand;
extern const Command kWebhookShowCommand;
extern const Command kWebhookPauseCommand;
extern const Command kWebhookResumeCommand;
extern const Command kWebhookRemoveCommand;
extern const Command kWebhookRotateCommand;
extern const Command kWebhookTestCommand;
extern const Command kWebhookDeadCommand;
extern const Command kWebhookRedeliverCommand;

extern const Command kTokenCreateCommand;
extern const Command kTokenListCommand;
extern const Command kTokenRevokeCommand;
extern const Command kWhoamiCommand;
extern const Command kCanICommand;
extern const Command kDoctorCommand;

}  // namespace mlops::cli
