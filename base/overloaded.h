// One visitor of lambdas, one for each alternative of a variant.
#pragma once

namespace linnet {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

}  // namespace linnet
