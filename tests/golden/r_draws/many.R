# Draws of many kinds for many seeds, 17 digits, to compare R itself with: Rscript many.R Rounding 1000
# One line a seed: seed, then the draws in the order below.
told <- commandArgs(TRUE)
suppressWarnings(RNGkind("Mersenne-Twister", "Inversion", told[1]))
set.seed(1)
seeds <- c(0L, -1L, .Machine$integer.max, -.Machine$integer.max, sample(.Machine$integer.max, as.integer(told[2]) - 4L))
seeds <- seeds * rep_len(c(1L, -1L), length(seeds))
sizes <- c(1, 2, 3, 5, 64, 65, 581, 65535, 65536, 65537, 1e6, 2147483647)
shapes <- list(c(1, 12), c(12, 1), c(1.5, 1), c(.5, .5), c(.01, 3), c(2, 3), c(3, 2), c(40, 7), c(1, 1), c(1000, .2))
for (seed in seeds) {
  set.seed(seed)
  drawn <- c(
    sapply(sizes, function(n) sample.int(n, 1)),
    runif(3, -2, .3),
    sapply(shapes, function(shape) rbeta(3, shape[1], shape[2])),
    rnorm(8, .95, .02),
    runif(700)
  )
  cat(seed, sprintf("%.17g", drawn), "\n")
}
