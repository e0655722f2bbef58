"""Single words that decide where a statement begins or ends, and what only a finding that is there has."""

from brainuad.curation.spelling import word_set

DIFFERENTIAL = frozenset(("or", "versus", "vs"))
# Words of negated lists and of findings alike ("no acute A, large B or C"), sizes and ages first.
SIZED_OR_AGED = word_set(
    "recent fresh large gross major recurrent subacute hyperacute extensive marked active enlarging progressive severe "
    "established mature"
)
QUALITIES = SIZED_OR_AGED | word_set(
    "acute new further other additional significant residual interval surrounding adjacent associated underlying "
    "overlying"
)
# What begins a new statement after a comma, an "and" or a "with", however the last one began.
ASSERTIVE = word_set(
    "mild moderate minor minimal old chronic established mature generalized diffuse extensive stable "
    "unchanged scattered "
    "some few several multiple there background age incidental marked slight subtle residual "
    "persistent known previous the "
    "this these both mildly moderately minimally a an small evolving widespread prominent normal "
    "bilateral patchy again "
    "evidence note likely possible probable moderately severe longstanding"
)
# Words of their own that only a finding has which is there; negated lists are of bare nouns.
OWN_WORDS = word_set(
    "mild moderate minor minimal old chronic marked slight subtle residual persistent known previous "
    "mildly moderately minimally bilateral patchy again longstanding small tiny thin trace "
    "a an the this these both there some several few multiple two three incidental stable unchanged "
    "background mm cm consistent compatible keeping typical representing reflecting suggesting causing measuring "
    "likely possible probable ? healed healing scattered shallow faint early evolving maturing"
)
# Of these, words that lists with an "or" have as well ("no A, previous B or C").
AGES = word_set("old chronic previous known residual persistent")
PLACES = word_set(
    "left right lt rt l r left-sided right-sided bifrontal biparietal bitemporal frontal parietal temporal occipital "
    "fronto temporo parieto frontoparietal temporoparietal parieto-occipital parafalcine cerebellar cerebellum "
    "thalamus thalamic pontine pons midbrain falx tentorium tentorial convexity insula insular caudate putamen "
    "lentiform capsule ganglia corona mca aca pca pica vertex infratentorial supratentorial suprasellar "
    "cerebellopontine parasagittal high-convexity"
)
SEEN_WORDS = word_set(
    "seen noted present identified evident visible demonstrated shown measuring found visualized"
)
# What may stand before findings in general, of which no one is meant.
GENERAL = word_set("small tiny subtle very early acute and or , : note that some")
# Nouns that are no terms, behind which another noun begins a statement of its own ("no abnormality left infarct").
UNSPECIFIC = word_set("abnormality pathology event complication enhancement dislocation process")
ANATOMY = word_set(
    "brain parenchyma lobe hemisphere ventricle space territory region cistern matter fossa convexity side skull "
    "vault base cortex scan study"
)
# What a state right behind it makes a statement of ("no bleed, ventricles dilated").
SUBJECTS = word_set("ventricle sulcus cistern horn tonsil fissure gyrus vessel artery")
# Terms with such an ending describe the noun behind them, but for those that are nouns themselves.
ADJECTIVE = (
    "ic",
    "ed",
    "al",
    "ive",
    "ing",
    "ous",
    "ent",
    "ant",
    "dense",
    "ar",
    "subdural",
    "subarachnoid",
    "icial",
)
NOUN_LIKE = word_set("bleed rebleed swelling bleeding rebleeding streaking coning implant")
VERBS = word_set(
    "is are was were has have had shows show demonstrates appear appears remain remains lie lies sit sits "
    "measure measures contains "
    "contain extends extend demonstrate represent represents"
)
COPULAS = word_set(
    "is are was were be been remain remains seem seems considered thought felt also highly appear appears"
)
PREPOSITIONS = word_set(
    "of in within around surrounding from to by with at into near adjacent beneath along about over on"
)
DEFINITE = word_set("the this that these those known existing previously")
