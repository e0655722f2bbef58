"""Words of English and medicine that stand within a typing error or two of a term and are none.

From the word lists of SCOWL and of OpenMedSpel (Debian's wamerican-large, wbritish-large and hunspell-en-med), each
tried against the terms of `misspelling.Corrector`; words that mean the same as their term are left out, and so is
"infract", which in a report is always an infarct.
"""

from brainuad.curation.spelling import norm, word_set

WORDS = word_set(
    "aclasia aerocell agenesic angenesis atrophica atropic bleep bleeping blend blending blued breed breeding "
    "calcicosis calcining calcitic calculosis caliectomy caning caprification carcinosis cardiectomy "
    "cardioplasty cardiotomy carnification carnifying cavernosa ceiling celebrities cerebrates cerebrosis "
    "chari chiai chipped chipping chorioma clapped clapping clarification clarifying clipper cloning clopped "
    "clopping coaled coaling coding codling coifed coifing coined coining coking collation collecting "
    "collective collector collocation coming compassed compassing compassion compressible compressional "
    "compressor compressors comprise comprised comprises comprising confection congenial congenitally "
    "coniotomy conking connection conning consing convection cooing cooled cooling coping coring corning "
    "correction cowing cowled cowling coxing cranioclast cranioclasty craniognomy craniology craniotome "
    "crucifying cysteic cysticercoid cysticercose cytic darin debunked debunking dedifferentiation delate "
    "derain desmoid diagenesis differentiating differentiational differentiator digenesis dilute diluted "
    "diluting dilution dimate ditate drawn dysgonesis dyskinesis dysponesis effacer ejaculation emaciation "
    "encephalomere encephalosis enema enface ependyma epidermic epidermide epidermis epidermose evacuate "
    "evacuating evacuator evaluated evocation extrafusal extramural extraneural extraoral extratubal facture "
    "hemoperfusion hemophage hemoplastic hemorrhagenic hepatoma heterotaxia heterotonia heterotonic "
    "heterotrophia heterotropia heterotropic heterotypic homoplastic hydromphalus hyperlucency hyperplasia "
    "hyperplastic hypertense hypoblastic hypopepsia hypophagia hypopiesia hypoplasmic hypopraxia hypovenosity "
    "inaction inactive infecting infectiosa infectiosum infectiosus infested inflected inflecting inflection "
    "inflective inflicting infliction inflictive injected injection insolation interception interjection "
    "intersection interventional interventionalist interventionist invective invocation legion lesson "
    "macroangiopathy malacca malachia malaria mastoidotomy mecystasis medline meningism meningocyte meniscitis "
    "menostasis metabasis metaplasis metrostasis midlife milline myomalacia myringitis neoblastic neoclassic "
    "neoplasty neuromap neurosurgeon noddle noddles penumbrae plasmacytoid plasmacytose polysurgical "
    "prosthetic prosthetist refection rejected rejection reseated reseeding resented respected scent scented "
    "sceptic screaking selling shaft shafted shelling shifter shifty shirt shirted shitted shrift sifted "
    "simulator skeptic smelling spelling spent steat steno stetted stimulate stimulated stimulates stimulation "
    "stimulatory stint stinted stipulator stoke strake streaming strike strobe strode stroked strove stunt "
    "stunted subaural surficially surgicel sutent swift swilling szent thrombase thrombocytic thromboid "
    "thrombolic thrombolus thrombolyse thrombolysed thrombolyses thrombolysing thrombolysis thrombolytic "
    "thrombolyze thrombolyzed thrombolyzing thrombosol timor timour tubercula tuberculoid tuberculose "
    "tuberculous tuberculum tudor tutor ventriculoscopy ventriculotomy "
)
# As norms, for that is how words of a report are compared: British -ise is -ize there.
REAL_WORDS = frozenset(map(norm, WORDS))
