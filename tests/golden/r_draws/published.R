# The hyper-parameters that R draws for the published study's seeds, 17 digits:
#   Rscript published.R Rounding published_rounding.csv > new.csv   (the seeds are read from the old file)
told <- commandArgs(TRUE)
seeds <- as.integer(sub(",.*", "", readLines(told[2])[-1]))
digits <- function(x) paste(sprintf("%.17g", x), collapse = " ")
cat("seed,depth,l1,l2,input_dropout,rho,epsilon,neurons,hidden_dropout,sum_neurons,mean_hidden_dropout\n")
for (seed in seeds) {
  suppressWarnings(RNGkind("Mersenne-Twister", "Inversion", told[1]))
  set.seed(seed)
  depth <- sample(1:5, 1)
  l1 <- runif(1, 0, .01)
  l2 <- runif(1, 0, .01)
  input_dropout <- rbeta(1, 1, 12)
  rho <- runif(1, .9, .999)
  epsilon <- runif(1, 1e-10, 1e-4)
  neurons <- sample(20:600, depth, TRUE)
  hidden_dropout <- rbeta(depth, 1.5, 1) / 2
  cat(seed, depth, digits(l1), digits(l2), digits(input_dropout), digits(rho), digits(epsilon), digits(neurons),
      digits(hidden_dropout), sum(neurons), digits(mean(hidden_dropout)), sep = ",")
  cat("\n")
}
