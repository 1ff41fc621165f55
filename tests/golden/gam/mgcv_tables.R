# Fits one formula with mgcv to every table of a folder by both methods; the effects as mgcv_fit.R writes them.
# usage: Rscript mgcv_tables.R FOLDER FORMULA
suppressPackageStartupMessages(library(mgcv))
args <- commandArgs(trailingOnly = TRUE)
for (file in list.files(args[1], pattern = "^table_.*[.]csv$", full.names = TRUE)) {
  rows <- read.csv(file)
  for (method in c("GCV.Cp", "REML")) {
    m <- gam(as.formula(args[2]), data = rows, method = method)
    out <- file.path(args[1], sub("table_", paste0("mgcv_", method, "_"), basename(file)))
    write.csv(cbind(fitted = fitted(m), predict(m, type = "terms")), out, row.names = FALSE)
    checks <- k.check(m, n.rep = 10)
    concurved <- concurvity(m)[, rownames(checks)]
    write.csv(data.frame(term = rownames(checks), k_index = checks[, "k-index"], worst = concurved["worst", ],
                         observed = concurved["observed", ], edf_total = sum(m$edf), criterion = as.numeric(m$gcv.ubre)),
              file.path(args[1], sub("mgcv_", "checks_", basename(out))), row.names = FALSE)
  }
}
