// Private to projector: order-independent digests of logical rows.
#pragma once

#include "projector/keys.h"
#include "projector/projector.h"

namespace siegel::projector {

Result<std::vector<Projector::Digest>> make_digests(views::Views& views, vault::Vault& vault, Keys& keys,
                                                    const SecretKey& key);

}  // namespace siegel::projector
